import type { Answer, AnswerBlock } from '../../domain/answer.ts'
import type { CacheDiagnosis } from '../../domain/cached-prompt.ts'
import type { AnswerContext } from '../../domain/dialect.ts'
import { IncipitError } from '../../domain/errors.ts'
import { scanJson } from '../../json/scan-json.ts'
import { readStopReason, wireStopReason } from '../shared/anthropic/stop-reasons.ts'
import { toolInput } from '../shared/anthropic/tool-input.ts'
import { messageUsage } from '../shared/anthropic/wire-usage.ts'
import { isRecord } from '../shared/token-counts.ts'
import { jsonArray, jsonObject, jsonText } from '../shared/write-json.ts'
import { rawUsage, usage } from './usage.ts'

/** A whole answer: a message. Arguments of tool calls stand as the model wrote them. */
export function answer(result: Answer, context: AnswerContext): string {
  return jsonObject([
    ['id', jsonText(messageId(result.id, context))],
    ['type', '"message"'],
    ['role', '"assistant"'],
    ['model', jsonText(context.model)],
    ['content', jsonArray(result.blocks.flatMap(blockJson))],
    ['stop_reason', jsonText(wireStopReason(result.stop))],
    ['stop_sequence', jsonText(result.stopSequence) ?? 'null'],
    ['usage', messageUsage(result.usage)],
    ['diagnostics', diagnostics(result.diagnosis)],
  ])
}

/** What a client asked to be told of its cache; left out where it did not. */
export function diagnostics(diagnosis: CacheDiagnosis | undefined): string | undefined {
  if (diagnosis?.provider !== 'anthropic') return undefined
  const { reason } = diagnosis
  const missed = ['cache_missed_input_tokens', jsonText(reason?.missedTokens)] as const
  const type = ['type', jsonText(reason?.type)] as const
  return `{"cache_miss_reason":${reason === null ? 'null' : jsonObject([type, missed])}}`
}

/** The upstream's own id where it is one of this API. */
export function messageId(id: string | undefined, context: AnswerContext): string {
  return id?.startsWith('msg_') ? id : `msg_${context.id}`
}

/** A parsed message as an answer. Blocks of tools that the provider runs itself have no counterpart and are passed over. */
export function readAnswer(message: unknown, bytes?: Uint8Array): Answer {
  if (!isRecord(message) || !Array.isArray(message['content'])) {
    throw new IncipitError('upstream_failed', 'the upstream answered with JSON that is no message')
  }
  const raw = rawUsage(message)
  const inputs = bytes === undefined ? [] : writtenInputs(bytes)
  return {
    id: textOf(message['id']),
    model: textOf(message['model']),
    blocks: message['content'].flatMap((block: unknown, index) => readBlock(block, inputs[index])),
    stop: readStopReason(message['stop_reason']),
    stopSequence: textOf(message['stop_sequence']),
    usage: raw === undefined ? undefined : usage(raw),
  }
}

/** Empty text is left out: a client that sends the message back as history would be refused. */
function blockJson(block: AnswerBlock): string[] {
  switch (block.kind) {
    case 'text':
    case 'refusal':
      return block.text === '' ? [] : [`{"type":"text","text":${jsonText(block.text)}}`]
    case 'thinking':
      return [`{"type":"thinking","thinking":${jsonText(block.text)},"signature":${jsonText(block.signature ?? '')}}`]
    case 'redacted-thinking':
      return [`{"type":"redacted_thinking","data":${jsonText(block.data)}}`]
    default:
      return [
        jsonObject([
          ['type', '"tool_use"'],
          ['id', jsonText(block.id)],
          ['name', jsonText(block.name)],
          ['input', toolInput(block.arguments).json],
        ]),
      ]
  }
}

/** Arguments of calls by their place in the content, as the model wrote them (D-9). */
function writtenInputs(bytes: Uint8Array): readonly (string | undefined)[] {
  try {
    const document = scanJson(bytes)
    const content = document.find(0, 'content')
    return content === undefined
      ? []
      : document.elements(content).map((block) => {
          const input = document.kind(block) === 'object' ? document.find(block, 'input') : undefined
          return input === undefined ? undefined : document.raw(input)
        })
  } catch {
    // Deeper than we read: then the parsed arguments have to do.
    return []
  }
}

function readBlock(block: unknown, written: string | undefined): AnswerBlock[] {
  if (!isRecord(block)) return []
  switch (block['type']) {
    case 'text':
      return [{ kind: 'text', text: textOf(block['text']) ?? '', logprobs: undefined }]
    case 'thinking':
      return [{ kind: 'thinking', text: textOf(block['thinking']) ?? '', signature: signatureOf(block['signature']) }]
    case 'redacted_thinking':
      return [{ kind: 'redacted-thinking', data: textOf(block['data']) ?? '' }]
    case 'tool_use':
      return [callBlock(block, written ?? JSON.stringify(block['input'] ?? {}))]
    default:
      return []
  }
}

function callBlock({ id, name }: Readonly<Record<string, unknown>>, json: string): AnswerBlock {
  return { kind: 'tool-call', id: textOf(id) ?? '', name: textOf(name) ?? '', arguments: json }
}

function signatureOf(value: unknown): string | undefined {
  return textOf(value) || undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
