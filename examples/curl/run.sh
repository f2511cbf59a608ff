#!/bin/sh
# The same long prompt twice, in each dialect, with curl alone: the second answer reports cached tokens.
# Usage: sh examples/curl/run.sh [workers-ai|chat|messages|responses]; without a name all four.
# INCIPIT_MODEL names the model of chat, messages and responses: demo unless set.
set -eu
url=${INCIPIT_URL:-http://127.0.0.1:4141}
model=${INCIPIT_MODEL:-demo}
long=
i=0
while [ $i -lt 100 ]; do
  long="$long You are a helpful assistant. You answer in one sentence and never guess."
  i=$((i + 1))
done
question='What is prefix caching?'

# post PATH BODY: prints the usage of the answer.
post() {
  printf '%s' "$2" |
    curl --fail-with-body --silent --show-error -X POST "$url$1" \
      -H "Authorization: Bearer ${INCIPIT_KEY:-unused}" \
      -H 'Content-Type: application/json' \
      -H 'x-session-affinity: ses_12345678' \
      --data-binary @- >"$answer" || { cat "$answer" >&2; exit 1; }
  printf '%-22s ' "$(echo "$1" | sed 's|/@cf/.*||; s|.*/v1/|/v1/|; s|.*/ai/|.../ai/|')"
  grep -o '"usage": *{.*' "$answer" | cut -c 1-150
}

workers_ai() {
  post /client/v4/accounts/local/ai/run/@cf/moonshotai/kimi-k2.5 "{\"max_tokens\": 16, \"messages\": [
    {\"role\": \"system\", \"content\": \"$opening\"}, {\"role\": \"user\", \"content\": \"$question\"}]}"
}

chat() {
  post /v1/chat/completions "{\"model\": \"$model\", \"max_completion_tokens\": 16, \"messages\": [
    {\"role\": \"system\", \"content\": \"$opening\"}, {\"role\": \"user\", \"content\": \"$question\"}]}"
}

messages() {
  post /v1/messages "{\"model\": \"$model\", \"max_tokens\": 16,
    \"system\": [{\"type\": \"text\", \"text\": \"$opening\", \"cache_control\": {\"type\": \"ephemeral\"}}],
    \"messages\": [{\"role\": \"user\", \"content\": \"$question\"}]}"
}

responses() {
  post /v1/responses "{\"model\": \"$model\", \"max_output_tokens\": 16, \"store\": false,
    \"instructions\": \"$opening\", \"input\": \"$question\"}"
}

twice() {
  # What differs stands first, so that every run begins cold.
  opening="$1, run $(date +%s)-$$.$long"
  "$1"
  "$1"
}

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
case ${1:-all} in
  all) for dialect in workers_ai chat messages responses; do twice "$dialect"; done ;;
  workers-ai) twice workers_ai ;;
  chat | messages | responses) twice "$1" ;;
  *) echo "unknown: $1" >&2; exit 2 ;;
esac
