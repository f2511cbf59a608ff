import { createHash } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { littleEndian } from '../block-key.ts'

/** A pin as it lies in the file. */
export interface StoredPin {
  readonly id: string
  readonly scope: string
  readonly tokens: Int32Array
  readonly ttlMs: number
  readonly refreshes: boolean
  readonly pinnedAt: number
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  readonly reads: number
}

const magic = 'INCIPPN1'
const headBytes = magic.length + 4
/** What is pinned is written down behind the requests, at most this often. */
const savingPauseMs = 500
/** Beyond this, pins that expire soonest do not outlive the process. */
const mostBytes = 4 * 1024 * 1024

/**
 * The pins of one instance of a model, beside the blocks that they keep. One small file with a checksum, written under
 * another name first: what a killed process or a power cut left is the pins of half a second before, or none.
 */
export class PinFile {
  readonly #path: string
  #pins: (() => readonly StoredPin[]) | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param instance name of the instance: those that share a folder have pins of their own */
  constructor(directory: string, instance: string) {
    this.#path = join(directory, `pins-${createHash('sha256').update(instance).digest('hex').slice(0, 16)}`)
  }

  /** What was written last, in order of pinning; nothing where that is missing or damaged. */
  load(): readonly StoredPin[] {
    try {
      const bytes = readFileSync(this.#path)
      const body = bytes.subarray(headBytes)
      const isWhole =
        bytes.toString('latin1', 0, magic.length) === magic && bytes.readUInt32LE(magic.length) === crc32(body)
      if (!isWhole) return []
      const pins = (JSON.parse(body.toString('utf8')) as StoredText[]).map(fromText)
      return pins.sort((left, right) => left.pinnedAt - right.pinnedAt)
    } catch {
      return []
    }
  }

  /** Writes these soon. */
  save(pins: () => readonly StoredPin[]): void {
    this.#pins = pins
    this.#timer ??= setTimeout(() => this.flush(), savingPauseMs).unref()
  }

  /** Writes now what is to be written. A folder that cannot be written to costs the pins a restart, and no request. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const pins = this.#pins?.()
    this.#pins = undefined
    if (pins === undefined) return
    const body = Buffer.from(`[${textsOf(pins).join()}]`)
    const head = Buffer.alloc(headBytes)
    head.write(magic, 'latin1')
    head.writeUInt32LE(crc32(body), magic.length)
    try {
      writeFileSync(`${this.#path}.new`, Buffer.concat([head, body]), { mode: 0o600 })
      renameSync(`${this.#path}.new`, this.#path)
    } catch {
      // The next change tries again.
    }
  }
}

/** A pin with its tokens as text: little-endian numbers of 32 bits in base64. */
type StoredText = Omit<StoredPin, 'tokens'> & { readonly tokens: string }

/** As many as fit, those that expire last first. */
function textsOf(pins: readonly StoredPin[]): readonly string[] {
  const texts: string[] = []
  let bytes = 0
  for (const pin of pins.toSorted((left, right) => right.expiresAt - left.expiresAt)) {
    const { id, scope, ttlMs, refreshes, pinnedAt, expiresAt, reads } = pin
    const tokens = Buffer.from(littleEndian(pin.tokens)).toString('base64')
    const text = JSON.stringify({ id, scope, tokens, ttlMs, refreshes, pinnedAt, expiresAt, reads })
    if ((bytes += text.length + 1) > mostBytes) break
    texts.push(text)
  }
  return texts
}

function fromText(text: StoredText): StoredPin {
  const bytes = Buffer.from(text.tokens, 'base64')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    ...text,
    tokens: Int32Array.from({ length: bytes.length / 4 }, (_, index) => view.getInt32(4 * index, true)),
  }
}
