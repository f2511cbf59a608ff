import type { Answer, AnswerBlock } from '../../domain/answer.ts'
import type { ServerSentEvent, StreamMarks, StreamReader, StreamStep } from '../../domain/dialect.ts'
import { IncipitError } from '../../domain/errors.ts'
import { streamMarks as chatMarks } from '../openai-chat/stream-reader.ts'
import { argumentsOf, readChatAnswer, stringOf } from '../shared/chat-answer.ts'
import { parsed } from '../shared/chat-fault.ts'
import { chatStop } from '../shared/chat-stops.ts'
import { ChatStreamReader } from '../shared/chat-stream-reader.ts'
import { isRecord, readChatUsage } from '../shared/token-counts.ts'
import { envelopeFault } from './errors.ts'
import { rawUsage } from './usage.ts'

type Json = Readonly<Record<string, unknown>>

export const streamMarks: StreamMarks = {
  content: [...chatMarks.content, '"response":"', '"response": "'],
  end: chatMarks.end,
  fault: [...chatMarks.fault, '"errors"'],
}

/**
 * Reads one streamed answer. Older models send frames `{"response": ...}` and never say why they ended;
 * newer ones send chunks of a chat completion. A frame is read as the chunk that says the same.
 */
export function streamReader(): StreamReader {
  const chunks = new ChatStreamReader(rawUsage)
  return {
    read(event: ServerSentEvent): StreamStep {
      const frame = parsed(event.data)
      const fault = envelopeFault(frame)
      if (fault !== undefined) return { kind: 'fault', fault }
      if (!isRecord(frame) || frame['choices'] !== undefined) return chunks.read(event)
      return { kind: 'events', events: chunks.chunk(chunkOf(frame)) }
    },
    end: () => chunks.end(),
  }
}

function chunkOf(frame: Json): Json {
  const delta = {
    content: responseOf(frame),
    reasoning_content: frame['reasoning_content'],
    tool_calls: callsOf(frame).map(({ id, ...call }, index) => ({ index, id, function: call })),
  }
  return { usage: frame['usage'], choices: [{ delta, finish_reason: frame['finish_reason'] }] }
}

/** Text as a rule; a value where the answer was asked for as JSON, a number where a token was all digits. */
function responseOf(result: Json): string {
  return argumentsOf(result['response'])
}

function callsOf(result: Json): { readonly id: string; readonly name: string; readonly arguments: string }[] {
  const calls: unknown = result['tool_calls']
  if (!Array.isArray(calls)) return []
  return calls.filter(isRecord).map((call, index) => {
    const called = isRecord(call['function']) ? call['function'] : call
    return {
      id: stringOf(call['id']) ?? `call_${index}`,
      name: stringOf(called['name']) ?? '',
      arguments: argumentsOf(called['arguments']),
    }
  })
}

/** @throws IncipitError `upstream_failed` when there is neither a response nor a choice in it */
export function readAnswer(answer: unknown): Answer {
  const result = isRecord(answer) && isRecord(answer['result']) ? answer['result'] : answer
  if (!isRecord(result)) throw new IncipitError('upstream_failed', 'the answer of the upstream has no result')
  const raw = rawUsage(result)
  if (result['choices'] !== undefined) return readChatAnswer(result, raw)
  const calls = callsOf(result)
  if (result['response'] === undefined && calls.length === 0) {
    throw new IncipitError('upstream_failed', 'the result of the upstream has no response')
  }
  const text = responseOf(result)
  const thinking = stringOf(result['reasoning_content']) ?? ''
  const blocks: AnswerBlock[] = [
    ...(thinking === '' ? [] : [{ kind: 'thinking', text: thinking, signature: undefined } as const]),
    ...(text === '' ? [] : [{ kind: 'text', text, logprobs: undefined } as const]),
    ...calls.map((call) => ({ kind: 'tool-call', ...call }) as const),
  ]
  const stop = calls.length > 0 ? 'tool-calls' : chatStop(result['finish_reason'], false)
  return { id: undefined, model: undefined, blocks, stop, stopSequence: undefined, usage: raw && readChatUsage(raw) }
}
