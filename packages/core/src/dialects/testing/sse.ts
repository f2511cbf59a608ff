import type { AnswerEvent, UpstreamFault } from '../../domain/answer.ts'
import type { ServerSentEvent, StreamReader } from '../../domain/dialect.ts'

/** The events of a whole stream, by the rules of server-sent events as far as transcripts use them. */
export function serverSentEvents(stream: string): ServerSentEvent[] {
  return stream.split(/\r?\n\r?\n/).flatMap((block) => {
    const lines = block.split(/\r?\n/)
    const valueOf = (name: string): string | undefined =>
      lines
        .find((line) => line.startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trimStart()
    const data = valueOf('data')
    return data === undefined ? [] : [{ event: valueOf('event'), data }]
  })
}

/** All that a reader makes of a stream: events up to its end, or to the fault that ends it. */
export function readStream(
  reader: StreamReader,
  stream: string,
): { readonly events: readonly AnswerEvent[]; readonly fault: UpstreamFault | undefined } {
  const events: AnswerEvent[] = []
  for (const event of serverSentEvents(stream)) {
    const step = reader.read(event)
    if (step.kind === 'fault') return { events, fault: step.fault }
    events.push(...step.events)
  }
  return { events: [...events, ...reader.end()], fault: undefined }
}
