import { WholeEvents } from './whole-events.ts'

const nullUsage = /,\s*"usage"\s*:\s*null|"usage"\s*:\s*null\s*,\s*/
const usageOnly = /"choices"\s*:\s*\[\s*\]/
const usageObject = /"usage"\s*:\s*\{/

/**
 * Takes out of a Chat stream what `stream_options.include_usage` put in, for a client that did not ask: the
 * chunk that carries usage and no choice, and the null usage of the other chunks. All other bytes stay.
 * Works on whole events, whatever the chunks.
 *
 * @example const hide = new UsageHider(); response.write(hide.push(chunk)); response.end(hide.finish())
 */
export class UsageHider {
  readonly #events: WholeEvents

  /** @param longest event that waits; what is longer passes in parts, as it is */
  constructor(longest?: number) {
    this.#events = new WholeEvents(longest)
  }

  /** A part of an event has been handed out. */
  get isOpen(): boolean {
    return this.#events.isOpen
  }

  push(chunk: Buffer): Buffer {
    return hideIn(this.#events.push(chunk))
  }

  /** What is left of an event that was not ended by an empty line. */
  finish(): Buffer {
    return hideIn(this.#events.finish())
  }
}

/** Looks at nothing but the events that name usage, and those between them. */
function hideIn(bytes: Buffer): Buffer {
  const first = bytes.indexOf(usageName)
  if (first === -1) return bytes
  const start = behindGap(bytes, first)
  const end = throughGap(bytes, bytes.lastIndexOf(usageName))
  // Latin-1 keeps every byte as one character, whatever the text is.
  const events = bytes.toString('latin1', start, end).split(/(?<=\r?\n\r?\n|\r\r)/)
  const left = Buffer.from(events.map(hideInEvent).join(''), 'latin1')
  if (left.length === end - start) return bytes
  return Buffer.concat([bytes.subarray(0, start), left, bytes.subarray(end)])
}

const usageName = Buffer.from('"usage"')
const gaps = ['\n\n', '\r\n\r\n', '\r\r'].map((gap) => Buffer.from(gap))

/** Where the event begins that holds this byte. */
function behindGap(bytes: Buffer, at: number): number {
  let start = 0
  for (const gap of gaps) {
    const found = at === 0 ? -1 : bytes.lastIndexOf(gap, at - 1)
    if (found !== -1) start = Math.max(start, found + gap.length)
  }
  return start
}

/** Where the event ends that holds this byte. */
function throughGap(bytes: Buffer, at: number): number {
  const ends = gaps.map((gap) => {
    const found = bytes.indexOf(gap, at)
    return found === -1 ? bytes.length : found + gap.length
  })
  return Math.min(...ends)
}

function hideInEvent(event: string): string {
  if (usageObject.test(event)) return usageOnly.test(event) ? '' : event
  return event.replace(nullUsage, '')
}
