#!/bin/sh
# The same long system prompt twice, with one session: the second answer reports cached tokens.
set -eu
url=${INCIPIT_URL:-http://127.0.0.1:4141}

ask() {
  curl --fail-with-body --silent --show-error -X POST \
    "$url/client/v4/accounts/local/ai/run/@cf/moonshotai/kimi-k2.5" \
    -H "Authorization: Bearer ${INCIPIT_KEY:-unused}" \
    -H "Content-Type: application/json" \
    -H "x-session-affinity: ses_12345678" \
    -d "{
      \"messages\": [
        { \"role\": \"system\", \"content\": \"You are a helpful assistant. You answer in one sentence. You never guess: what you do not know you call unknown, and you say where it could be looked up.\" },
        { \"role\": \"user\", \"content\": \"$1\" }
      ],
      \"max_tokens\": 16
    }"
  echo
}

ask "What is prefix caching?"
ask "Why does it matter?"
