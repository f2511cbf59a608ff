import type { ReadAnswer } from './answers.ts'
import type { Json } from './sent-body.ts'
import type { Source } from './targets.ts'

type Members = Readonly<Record<string, Json | undefined>>

/** What a client of a dialect reads of a whole answer, or of a stream of it. */
export function readAnswer(source: Source, text: string, stream: boolean): ReadAnswer {
  const events = stream ? dataOf(text) : [JSON.parse(text) as Members] // parsed JSON is nothing else
  switch (source) {
    case 'openai-chat':
      return readChat(events, stream ? 'delta' : 'message')
    case 'openai-responses':
      return readResponses(events, stream)
    case 'anthropic-messages':
      return stream ? readMessageStream(events) : readMessage(events[0] ?? {}, text)
    case 'workers-ai':
      return readRun(events, text)
    default:
      return source satisfies never
  }
}

function dataOf(text: string): Members[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]')
    .map((line) => JSON.parse(line.slice('data: '.length)) as Members)
}

function readChat(events: readonly Members[], member: 'delta' | 'message'): ReadAnswer {
  const choices = events.flatMap((event) => (event['choices'] as Members[] | undefined) ?? [])
  const said = choices.map((choice) => (choice[member] ?? {}) as Members)
  const calls = said.flatMap((one) => (one['tool_calls'] as Members[] | undefined) ?? [])
  const json = calls.map((call) => wordsOf((call['function'] as Members)['arguments'])).join('')
  return {
    text: said.map((one) => wordsOf(one['content'])).join(''),
    call: calls.length === 0 ? undefined : json,
    stop: choices.map((choice) => choice['finish_reason']).find((reason) => typeof reason === 'string') as string,
    usage: events.findLast((event) => event['usage'] !== undefined && event['usage'] !== null)?.['usage'],
  }
}

function readResponses(events: readonly Members[], stream: boolean): ReadAnswer {
  const last = events.at(-1) ?? {}
  const response = (stream ? last['response'] : last) as Members
  const output = response['output'] as Members[]
  const call = output.find(({ type }) => type === 'function_call')
  const parts = output.flatMap((item) => (item['content'] as Members[] | undefined) ?? [])
  const details = response['incomplete_details'] as Members | null
  const reason = details === null ? '' : `/${wordsOf(details['reason'])}`
  return {
    text: parts.map((part) => wordsOf(part['text'])).join(''),
    call: call?.['arguments'] as string | undefined,
    stop: `${wordsOf(response['status'])}${reason}`,
    usage: response['usage'],
  }
}

function readMessage(message: Members, text: string): ReadAnswer {
  const content = message['content'] as Members[]
  const call = content.some(({ type }) => type === 'tool_use')
  return {
    text: content.map((block) => wordsOf(block['text'])).join(''),
    call: call ? objectBehind(text, '"input":') : undefined,
    stop: stopOf(message),
    usage: message['usage'],
  }
}

function readMessageStream(events: readonly Members[]): ReadAnswer {
  const deltas = events.flatMap((event) => (event['type'] === 'content_block_delta' ? [event['delta'] as Members] : []))
  const json = deltas.map((delta) => wordsOf(delta['partial_json'])).join('')
  const begun = (events.find(({ type }) => type === 'message_start')?.['message'] ?? {}) as Members
  const ended = events.find(({ type }) => type === 'message_delta') ?? {}
  const later = Object.entries((ended['usage'] ?? {}) as Members).filter(([, value]) => value !== null)
  return {
    text: deltas.map((delta) => wordsOf(delta['text'])).join(''),
    call: json === '' ? undefined : json,
    stop: stopOf((ended['delta'] ?? {}) as Members),
    usage: { ...(begun['usage'] as Record<string, Json>), ...(Object.fromEntries(later) as Record<string, Json>) },
  }
}

function stopOf(holder: Members): string {
  const sequence = holder['stop_sequence']
  return typeof sequence === 'string' ? `${wordsOf(holder['stop_reason'])}/${sequence}` : wordsOf(holder['stop_reason'])
}

/** Workers AI's own route says no reason for the end. */
function readRun(events: readonly Members[], text: string): ReadAnswer {
  const results = events.map((event) => (event['result'] ?? event) as Members)
  const called = results.some((result) => result['tool_calls'] !== undefined)
  return {
    text: results.map((result) => wordsOf(result['response'])).join(''),
    call: called ? objectBehind(text, '"arguments":') : undefined,
    stop: undefined,
    usage: results.findLast((result) => result['usage'] !== undefined)?.['usage'],
  }
}

/** A text; nothing where there is none. */
function wordsOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** The bytes of the flat object behind a name. */
function objectBehind(text: string, name: string): string {
  const start = text.indexOf(name) + name.length
  return text.slice(start, text.indexOf('}', start) + 1)
}
