const none: Buffer = Buffer.alloc(0)
/** Bytes of the longest gap between two events but one: so many of what waits may begin a gap that is not complete. */
const seamBytes = 3

/**
 * Cuts a stream of server-sent events behind its events, whatever the chunks: what an event is not complete with waits.
 * A stream that breaks off then ends at a whole event, and an error event can follow. No byte changes.
 *
 * @example const events = new WholeEvents(); response.write(events.push(chunk)); response.end(events.finish())
 */
export class WholeEvents {
  readonly #longest: number
  #waiting: Buffer[] = []
  #size = 0
  #open = false

  /** @param longest event that waits; what is longer passes in parts */
  constructor(longest: number = Infinity) {
    this.#longest = longest
  }

  /** A part of an event has been handed out. */
  get isOpen(): boolean {
    return this.#open
  }

  push(chunk: Buffer): Buffer {
    const end = this.#endIn(chunk)
    if (end > 0) this.#open = false
    if (end === chunk.length && this.#size === 0) return chunk
    const whole = end > 0 ? this.#taken(chunk.subarray(0, end)) : none
    if (end < chunk.length) {
      this.#waiting.push(chunk.subarray(end))
      this.#size += chunk.length - end
    }
    if (this.#size <= this.#longest) return whole
    this.#open = true
    const part = this.#taken(none)
    return whole.length === 0 ? part : Buffer.concat([whole, part])
  }

  /** What is left of an event that was not ended by an empty line. */
  finish(): Buffer {
    return this.#taken(none)
  }

  #taken(last: Buffer): Buffer {
    if (this.#size === 0) return last
    const taken = Buffer.concat([...this.#waiting, last])
    this.#waiting = []
    this.#size = 0
    return taken
  }

  /** Where in this chunk the last whole event ends; 0 where none does. */
  #endIn(chunk: Buffer): number {
    if (this.#size === 0) return eventsEnd(chunk)
    const seam = lastBytes(this.#waiting)
    return Math.max(0, eventsEnd(Buffer.concat([seam, chunk])) - seam.length)
  }
}

function lastBytes(parts: readonly Buffer[]): Buffer {
  let bytes: Buffer = none
  for (let at = parts.length - 1; at >= 0 && bytes.length < seamBytes; at--) {
    const part = parts[at] ?? none
    bytes = Buffer.concat([part.subarray(Math.max(0, part.length - seamBytes + bytes.length)), bytes])
  }
  return bytes
}

/** Behind the last empty line. */
function eventsEnd(bytes: Buffer): number {
  const { length } = bytes
  if (bytes[length - 1] === 0x0a && bytes[length - 2] === 0x0a) return length
  return Math.max(endBehind(bytes, '\n\n'), endBehind(bytes, '\r\n\r\n'), endBehind(bytes, '\r\r'))
}

function endBehind(bytes: Buffer, gap: string): number {
  const at = bytes.lastIndexOf(gap)
  return at === -1 ? 0 : at + gap.length
}
