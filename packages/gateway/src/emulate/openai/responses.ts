import type { ChatPrompt } from '../chat/chat-prompt.ts'
import type { Answer } from '../decide-answer.ts'
import { decideAnswer } from '../decide-answer.ts'
import { digest, idOf } from '../digest.ts'
import type { EmulatedRequest } from '../emulated-request.ts'
import { jsonBodyOf } from '../emulated-request.ts'
import type { JsonObject } from '../json.ts'
import { given, objectOf, textOf } from '../json.ts'
import type { Reply } from '../reply.ts'
import { jsonReply, streamReply } from '../reply.ts'
import { checkCalls, checkResponses } from './check-responses.ts'
import { comparisonBasis, diagnose } from './diagnose.ts'
import type { OpenAiState } from './openai-state.ts'
import type { CachedTokens } from './prompt-cache.ts'
import { lookUp } from './prompt-cache.ts'
import { outputItems, responseFrames } from './render-response.ts'
import { inputItems, responsesPrompt, responsesQuestion } from './responses-prompt.ts'
import { refuse } from './wording.ts'

/** How long a background response takes, by the emulator's clock. */
const backgroundMs = 1_000

/** `POST /v1/responses`. @throws Refusal */
export function createResponse(state: OpenAiState, request: EmulatedRequest, org: string): Reply {
  const body = jsonBodyOf(request)
  const model = checkResponses(body)
  const input = withIds(inputItems(body['input']), request)
  const items = [...itemsBefore(state, body, org), ...input]
  checkCalls(items)
  const prompt = responsesPrompt(body, items)
  const now = request.receivedAt
  const { usage, commit } = lookUp(state, { body, prompt, model, org, switches: switchesOf(body), now })
  const seed = prompt.sequence.hash(model.id)
  // A prewarm stores the prompt and says nothing.
  const prewarm = objectOf(body['prompt_cache_options'])['prewarm'] === true
  const question = responsesQuestion(body, items, { seed, answerBytes: request.answerBytes })
  const answer = prewarm ? undefined : decideAnswer(question)
  const comparison = comparisonBasis(body, prompt)
  const response = {
    // The id comes first, as from the real one.
    ...said(answer, { seed, request, prompt, usage }),
    ...echo(body),
    ...diagnose(state, body, { org, basis: comparison }),
  }
  const background = body['background'] === true
  if (body['store'] !== false || background) {
    const output = response.output as readonly JsonObject[]
    state.responses.set(response.id, {
      org,
      input,
      items: [...items, ...output],
      response,
      doneAt: background ? now + backgroundMs : now,
      background,
      cancelled: false,
      comparison,
    })
  }
  if (body['stream'] === true) return { ...streamReply(responseFrames(response)), onBegun: commit }
  const shown = background ? { ...response, status: 'queued', output: [], usage: null, completed_at: null } : response
  return { ...jsonReply(200, shown), onBegun: commit }
}

/** The conversation that `previous_response_id` stands for. @throws Refusal when there is none */
export function itemsBefore(state: OpenAiState, body: JsonObject, org: string): readonly JsonObject[] {
  const id = textOf(body['previous_response_id'])
  if (id === undefined) return []
  const previous = state.responses.get(id)
  if (previous === undefined || previous.org !== org) throw refuse('noPrevious', 'previous_response_id', id)
  return previous.items
}

export function responseUsage(
  prompt: ChatPrompt,
  output: number,
  { cached, written }: CachedTokens,
): Readonly<Record<string, unknown>> {
  const input = prompt.sequence.length
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached, ...(written === undefined ? {} : { cache_write_tokens: written }) },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  }
}

/** The switches that stand before the prompt. */
export function switchesOf(body: JsonObject): readonly string[] {
  const effort = textOf(objectOf(body['reasoning'])['effort']) ?? ''
  const verbosity = textOf(objectOf(body['text'])['verbosity']) ?? ''
  return [textOf(body['service_tier']) ?? 'auto', effort, verbosity]
}

function withIds(items: readonly JsonObject[], request: EmulatedRequest): readonly JsonObject[] {
  return items.map((item, index) =>
    given(item['id'])
      ? item
      : { ...item, id: idOf('item_', digest(JSON.stringify(item)), `${request.number}.${index}`) },
  )
}

function said(
  answer: Answer | undefined,
  context: {
    readonly seed: string
    readonly request: EmulatedRequest
    readonly prompt: ChatPrompt
    readonly usage: CachedTokens
  },
): { readonly id: string; readonly output: readonly unknown[] } & Readonly<Record<string, unknown>> {
  const { seed, request, prompt, usage } = context
  const cut = answer?.kind === 'text' && answer.finish === 'length'
  const at = Math.floor(request.receivedAt / 1_000)
  return {
    id: idOf('resp_', seed, String(request.number)),
    object: 'response',
    created_at: at,
    completed_at: at,
    status: cut ? 'incomplete' : 'completed',
    error: null,
    incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
    output: outputItems(answer, `${seed} ${request.number}`),
    usage: responseUsage(prompt, answer?.tokens ?? 0, usage),
  }
}

/** The fields that a response repeats, with what they are when they were not given. */
const echoed: Readonly<Record<string, unknown>> = {
  instructions: null,
  max_output_tokens: null,
  metadata: {},
  previous_response_id: null,
  prompt_cache_key: null,
  prompt_cache_retention: null,
  safety_identifier: null,
  temperature: 1,
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  truncation: 'disabled',
  user: null,
}

/** What a response repeats of its request, with the defaults filled in. */
function echo(body: JsonObject): Readonly<Record<string, unknown>> {
  const repeated = Object.entries(echoed).map(([field, fallback]): [string, unknown] => [
    field,
    body[field] ?? fallback,
  ])
  return {
    ...Object.fromEntries(repeated),
    model: body['model'],
    background: body['background'] === true,
    parallel_tool_calls: body['parallel_tool_calls'] !== false,
    ...(given(body['prompt_cache_options']) ? { prompt_cache_options: body['prompt_cache_options'] } : {}),
    reasoning: { effort: null, summary: null, ...objectOf(body['reasoning']) },
    service_tier: 'default',
    store: body['store'] !== false,
    text: { format: { type: 'text' }, verbosity: 'medium', ...objectOf(body['text']) },
    top_logprobs: 0,
  }
}
