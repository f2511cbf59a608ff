import type { Answer, AnswerBlock, StopReason } from '../../domain/answer.ts'
import type { CacheDiagnosis } from '../../domain/cached-prompt.ts'
import type { AnswerContext } from '../../domain/dialect.ts'
import type { TokenLogprob } from '../../domain/generation.ts'
import { bodyOf } from '../shared/scanned.ts'
import { jsonArray, jsonObject, jsonText } from '../shared/write-json.ts'
import { wireUsage } from './usage.ts'
import type {
  WireFunctionCall,
  WireItem,
  WireMessage,
  WireReasoning,
  WireRefusal,
  WireStatus,
  WireText,
} from './wire.ts'

/** What a response repeats of its request, raw, and what it says where the client said nothing. */
const echoed: readonly (readonly [name: string, fallback: string])[] = [
  ['instructions', 'null'],
  ['max_output_tokens', 'null'],
  ['max_tool_calls', 'null'],
  ['metadata', '{}'],
  ['parallel_tool_calls', 'true'],
  ['previous_response_id', 'null'],
  ['prompt_cache_key', 'null'],
  ['reasoning', '{"effort":null,"summary":null}'],
  ['safety_identifier', 'null'],
  ['temperature', 'null'],
  ['text', '{"format":{"type":"text"}}'],
  ['tool_choice', '"auto"'],
  ['tools', '[]'],
  ['top_logprobs', '0'],
  ['top_p', 'null'],
  ['truncation', '"disabled"'],
  ['user', 'null'],
]

/** What changes in a response while it comes about; members are JSON text. */
export interface ResponseState {
  readonly status: WireStatus | 'failed'
  readonly output: readonly string[]
  readonly usage?: string
  readonly diagnosis?: CacheDiagnosis | undefined
  readonly error?: string
  /** Why it is incomplete. */
  readonly reason?: string | undefined
}

/** A whole answer. */
export function answer(answer: Answer, context: AnswerContext): string {
  const { status, reason } = endOf(
    answer.stop,
    answer.blocks.some(({ kind }) => kind === 'refusal'),
  )
  const groups = groupBlocks(answer.blocks)
  const output = groups.map((group, index) => {
    const isLast = index === groups.length - 1
    return JSON.stringify(itemOf(group, { context, index, status: isLast ? status : 'completed' }))
  })
  return responseWriter(context)({
    status,
    reason,
    output,
    usage: usageText(answer.usage),
    diagnosis: answer.diagnosis,
  })
}

/** Writes the states of one response; what they have in common is put together once. */
export function responseWriter(context: AnswerContext): (state: ResponseState) => string {
  const opening = jsonObject([
    ['id', jsonText(responseId(context))],
    ['object', '"response"'],
    ['created_at', jsonText(Math.floor(context.createdAt / 1000))],
    ['model', jsonText(context.model)],
  ]).slice(0, -1)
  const request = bodyOf(context.prompt)
  // Nothing runs in the background here, and nothing is kept: whatever was asked, this is what is so.
  const closing = jsonObject([
    ['background', 'false'],
    ['store', 'false'],
    ...echoed.map(([name, fallback]) => [name, request.find(name)?.raw ?? fallback] as const),
  ]).slice(1)
  return ({ status, output, usage, error, reason, diagnosis }) => {
    const details = reason === undefined ? 'null' : jsonObject([['reason', jsonText(reason)]])
    const changing = `"status":"${status}","error":${error ?? 'null'},"incomplete_details":${details}`
    return `${opening},${changing},"output":${jsonArray(output)},"usage":${usage ?? 'null'}${diagnosed(diagnosis)},${closing}`
  }
}

/** What a client asked to be told of its cache, as a further member; nothing where it did not ask. */
function diagnosed(diagnosis: CacheDiagnosis | undefined): string {
  if (diagnosis?.provider !== 'openai') return ''
  const { type, reason, reusableTokens, missedTokens } = diagnosis
  const counts = { comparison_reusable_tokens: reusableTokens, cache_missed_tokens: missedTokens }
  return `,"prompt_cache_diagnostics":${JSON.stringify(reusableTokens === undefined ? { type } : { type, reason, ...counts })}`
}

/** How an answer ended, in the words of this API. */
export function endOf(stop: StopReason, refused: boolean): { readonly status: WireStatus; readonly reason?: string } {
  switch (stop) {
    case 'end':
    case 'stop-sequence':
    case 'tool-calls':
    case 'pause':
      return { status: 'completed' }
    case 'refusal':
      // A refusal in words is a complete answer; without words a client must still see that something is missing.
      return refused ? { status: 'completed' } : { status: 'incomplete', reason: 'content_filter' }
    case 'content-filter':
      return { status: 'incomplete', reason: 'content_filter' }
    case 'length':
    case 'context-exceeded':
      return { status: 'incomplete', reason: 'max_output_tokens' }
    default:
      return stop satisfies never
  }
}

export function usageText(usage: Answer['usage']): string {
  return usage === undefined ? 'null' : JSON.stringify(wireUsage(usage))
}

export function responseId(context: AnswerContext): string {
  return `resp_${context.id}`
}

/** The id of an item: unique in its answer, and made of nothing but the answer's id. */
export function itemId(prefix: 'msg' | 'rs' | 'fc', context: AnswerContext, index: number): string {
  return `${prefix}_${context.id}_${index}`
}

export function textPart(text: string, logprobs: readonly TokenLogprob[] | undefined): WireText {
  const wire = (logprobs ?? []).map(({ token, logprob, bytes, top }) => ({ token, logprob, bytes, top_logprobs: top }))
  return { type: 'output_text', text, annotations: [], logprobs: wire }
}

export function refusalPart(refusal: string): WireRefusal {
  return { type: 'refusal', refusal }
}

export function messageItem(id: string, status: WireStatus, content: WireMessage['content']): WireMessage {
  return { id, type: 'message', status, role: 'assistant', content }
}

export function reasoningItem(id: string, text: string, encrypted: string | undefined): WireReasoning {
  return {
    id,
    type: 'reasoning',
    summary: text === '' ? [] : [{ type: 'summary_text', text }],
    ...(encrypted === undefined ? {} : { encrypted_content: encrypted }),
  }
}

export function callItem(call: Omit<WireFunctionCall, 'type'>): WireFunctionCall {
  const { id, status, call_id, name } = call
  return { id, type: 'function_call', status, arguments: call.arguments, call_id, name }
}

type SpokenBlock = Extract<AnswerBlock, { kind: 'text' | 'refusal' }>
type Group = { readonly kind: 'message'; readonly blocks: SpokenBlock[] } | Exclude<AnswerBlock, SpokenBlock>

/** Text and refusals that follow one another are parts of one message. */
function groupBlocks(blocks: readonly AnswerBlock[]): Group[] {
  const groups: Group[] = []
  for (const block of blocks) {
    const last = groups.at(-1)
    if (block.kind !== 'text' && block.kind !== 'refusal') groups.push(block)
    else if (block.text === '') continue
    else if (last?.kind === 'message') last.blocks.push(block)
    else groups.push({ kind: 'message', blocks: [block] })
  }
  return groups
}

interface ItemPlace {
  readonly context: AnswerContext
  readonly index: number
  readonly status: WireStatus
}

function itemOf(group: Group, { context, index, status }: ItemPlace): WireItem {
  switch (group.kind) {
    case 'message': {
      const parts = group.blocks.map((block) =>
        block.kind === 'text' ? textPart(block.text, block.logprobs) : refusalPart(block.text),
      )
      return messageItem(itemId('msg', context, index), status, parts)
    }
    case 'thinking':
      return reasoningItem(itemId('rs', context, index), group.text, group.signature)
    case 'redacted-thinking':
      return reasoningItem(itemId('rs', context, index), '', group.data)
    case 'tool-call': {
      const id = itemId('fc', context, index)
      return callItem({ id, status, arguments: group.arguments, call_id: group.id, name: group.name })
    }
    default:
      return group satisfies never
  }
}
