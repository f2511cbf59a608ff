import type { AnswerBlock, StopReason } from '../../../domain/answer.ts'
import type { TokenLogprob } from '../../../domain/generation.ts'
import { isRecord } from '../token-counts.ts'

type Wire = Readonly<Record<string, unknown>>

/** Between two parts of a summary, which are paragraphs of one thought. */
export const summarySeparator = '\n\n'

/**
 * The blocks that an item of an upstream's output makes. Items of tools that the provider runs make none:
 * only a client of this dialect can have asked for those.
 */
export function blocksOfItem(item: unknown): AnswerBlock[] {
  if (!isRecord(item)) return []
  switch (item['type']) {
    case 'message':
      return recordsOf(item['content']).flatMap(blockOfPart)
    case 'reasoning':
      return [{ kind: 'thinking', text: thoughtOf(item), signature: textOf(item['encrypted_content']) }]
    case 'function_call':
      return [
        {
          kind: 'tool-call',
          id: textOf(item['call_id']) ?? textOf(item['id']) ?? '',
          name: textOf(item['name']) ?? '',
          arguments: textOf(item['arguments']) ?? '',
        },
      ]
    default:
      return []
  }
}

/** The log-probabilities of a text; `undefined` where none are reported. */
export function logprobsOf(value: unknown): TokenLogprob[] | undefined {
  const entries = recordsOf(value)
  if (entries.length === 0) return undefined
  return entries.map((entry) => ({ ...logprobOf(entry), top: recordsOf(entry['top_logprobs']).map(logprobOf) }))
}

/**
 * Why an answer ended: a status of this API says less than that, its output says the rest.
 * @example stopOf(response, [{ kind: 'tool-call' }]) // 'tool-calls'
 */
export function stopOf(response: Wire, blocks: readonly Pick<AnswerBlock, 'kind'>[]): StopReason {
  if (response['status'] === 'incomplete') {
    const details = response['incomplete_details']
    return isRecord(details) && details['reason'] === 'content_filter' ? 'content-filter' : 'length'
  }
  if (blocks.some(({ kind }) => kind === 'tool-call')) return 'tool-calls'
  return blocks.some(({ kind }) => kind === 'refusal') ? 'refusal' : 'end'
}

/** @example textOf('x') // 'x'; of anything but a string: undefined */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The objects of an array; none of anything else. */
export function recordsOf(value: unknown): Wire[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

function blockOfPart(part: Wire): AnswerBlock[] {
  if (part['type'] === 'refusal') return [{ kind: 'refusal', text: textOf(part['refusal']) ?? '' }]
  if (part['type'] !== 'output_text') return []
  return [{ kind: 'text', text: textOf(part['text']) ?? '', logprobs: logprobsOf(part['logprobs']) }]
}

/** The summary, where there is one; open models send their thoughts themselves. */
function thoughtOf(item: Wire): string {
  const summary = recordsOf(item['summary'])
  const parts = summary.length > 0 ? summary : recordsOf(item['content'])
  return parts.map((part) => textOf(part['text']) ?? '').join(summarySeparator)
}

function logprobOf(entry: Wire): Omit<TokenLogprob, 'top'> {
  const token = textOf(entry['token']) ?? ''
  const bytes = entry['bytes']
  return {
    token,
    logprob: typeof entry['logprob'] === 'number' ? entry['logprob'] : Number.NEGATIVE_INFINITY,
    bytes: Array.isArray(bytes) ? (bytes as readonly number[]) : [...new TextEncoder().encode(token)],
  }
}
