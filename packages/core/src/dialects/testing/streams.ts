import type { Answer, AnswerBlock, AnswerEvent, UpstreamFault } from '../../domain/answer.ts'
import type { Dialect, ServerSentEvent } from '../../domain/dialect.ts'

/** The server-sent events of a whole stream; comments are none. */
export function eventsOfSse(stream: string): ServerSentEvent[] {
  return stream
    .replaceAll('\r\n', '\n')
    .split('\n\n')
    .flatMap((block) => {
      const lines = block.split('\n')
      const valuesOf = (field: string): string[] =>
        lines
          .filter((line) => line.startsWith(`${field}:`))
          .map((line) => line.slice(field.length + 1).replace(/^ /, ''))
      const data = valuesOf('data')
      return data.length === 0 ? [] : [{ event: valuesOf('event')[0], data: data.join('\n') }]
    })
}

/** What a dialect reads from a whole stream of an upstream, up to the fault that ends it. */
export interface ReadStream {
  readonly events: readonly AnswerEvent[]
  readonly fault: UpstreamFault | undefined
}

export function read(dialect: Dialect, stream: string): ReadStream {
  const reader = dialect.streamReader()
  const events: AnswerEvent[] = []
  for (const event of eventsOfSse(stream)) {
    const step = reader.read(event)
    if (step.kind === 'fault') return { events, fault: step.fault }
    events.push(...step.events)
  }
  return { events: [...events, ...reader.end()], fault: undefined }
}

/** The whole answer that the events of a finished stream make, told from the contract of `AnswerEvent`. */
export function answerOf(events: readonly AnswerEvent[]): Answer {
  const start = events.find((event) => event.kind === 'start')
  const finish = events.find((event) => event.kind === 'finish')
  if (finish === undefined) throw new Error('the stream has no end')
  const blocks: AnswerBlock[] = []
  const calls: number[] = []
  let previous: AnswerEvent['kind'] | undefined
  for (const event of events) {
    const last = blocks.at(-1)
    const isNew = event.kind !== previous
    previous = event.kind
    switch (event.kind) {
      case 'text-delta': {
        const before = !isNew && last?.kind === 'text' ? last : { text: '', logprobs: undefined }
        const logprobs = [...(before.logprobs ?? []), ...(event.logprobs ?? [])]
        if (!isNew) blocks.pop()
        blocks.push({
          kind: 'text',
          text: before.text + event.text,
          logprobs: logprobs.length === 0 ? undefined : logprobs,
        })
        break
      }
      case 'refusal-delta':
      case 'thinking-delta': {
        const text = (isNew || last === undefined || !('text' in last) ? '' : last.text) + event.text
        if (!isNew) blocks.pop()
        blocks.push(
          event.kind === 'refusal-delta' ? { kind: 'refusal', text } : { kind: 'thinking', text, signature: undefined },
        )
        break
      }
      case 'thinking-signature': {
        const open = last?.kind === 'thinking' && last.signature === undefined ? blocks.pop() : undefined
        const text = open?.kind === 'thinking' ? open.text : ''
        blocks.push({ kind: 'thinking', text, signature: event.signature })
        previous = undefined
        break
      }
      case 'tool-start':
        calls[event.index] = blocks.push({ kind: 'tool-call', id: event.id, name: event.name, arguments: '' }) - 1
        break
      case 'tool-delta': {
        const place = calls[event.index] ?? -1
        const call = blocks[place]
        if (call?.kind !== 'tool-call') throw new Error('a delta of a call that never began')
        blocks[place] = { ...call, arguments: call.arguments + event.json }
        break
      }
      default:
        break
    }
  }
  return {
    id: start?.id,
    model: start?.model,
    blocks,
    stop: finish.stop,
    stopSequence: finish.stopSequence,
    usage: finish.usage,
  }
}
