import { mergeUsage } from '@incipit/core'

/** A provider's usage object, as parsed. */
export type RawUsage = Readonly<Record<string, unknown>>

const usageName = Buffer.from('"usage"')
/** An object without a count of tokens is no usage, whatever its name: a tool's schema may have a property of that name. */
const counts = /tokens"\s*:\s*\d/
const longestUsage = 16_384
/** Levels of a usage object, far more than any provider has: what nests deeper overflows the stack of whoever writes it out. */
const mostLevels = 32
/** Objects without an end that are looked through, each up to the end of the bytes. */
const mostBroken = 8

/**
 * Finds the usage objects in bytes of JSON or of whole events, by their name, and merges them: nothing else
 * is parsed. Inside JSON strings quotes are escaped, so that the name stands only where it is a name.
 *
 * @example usageIn(chunk, 0, chunk.length, undefined)
 */
export function usageIn(bytes: Buffer, from: number, to: number, known: RawUsage | undefined): RawUsage | undefined {
  let merged = known
  let next = from
  let broken = 0
  for (let at = bytes.indexOf(usageName, next); at !== -1 && at < to; at = bytes.indexOf(usageName, next)) {
    next = at + usageName.length
    const start = objectAfterName(bytes, next, to)
    if (start === -1) continue
    const end = objectEnd(bytes, start, to)
    if (end === -1) {
      if (++broken > mostBroken) break
      continue
    }
    // What stands inside is a part of it: to look into each once more would be quadratic.
    next = end
    if (end - start > longestUsage || levelsOf(bytes, start, end) > mostLevels) continue
    const found = parseUsage(bytes.toString('utf8', start, end))
    if (found !== undefined) merged = merged === undefined ? found : mergeUsage(merged, found)
  }
  return merged
}

/** Where the object that is this member's value begins, or -1 when its value is none. */
function objectAfterName(bytes: Buffer, from: number, to: number): number {
  let at = from
  let colon = false
  for (; at < to; at++) {
    const byte = bytes[at]
    if (byte === 0x7b) return colon ? at : -1
    if (byte === 0x3a && !colon) colon = true
    else if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return -1
  }
  return -1
}

function objectEnd(bytes: Buffer, start: number, to: number): number {
  let depth = 0
  let inString = false
  for (let at = start; at < to; at++) {
    const byte = bytes[at]
    if (inString) {
      if (byte === 0x5c) at++
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === 0x7b) depth++
    else if (byte === 0x7d && --depth === 0) return at + 1
  }
  return -1
}

/** How deep lists and objects stand inside each other. */
function levelsOf(bytes: Buffer, start: number, end: number): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if (inString) {
      if (byte === 0x5c) at++
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return deepest
}

function parseUsage(text: string): RawUsage | undefined {
  if (!counts.test(text)) return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    return isObject(parsed) ? parsed : undefined
  } catch {
    // An upstream that writes broken JSON has reported nothing.
    return undefined
  }
}

function isObject(value: unknown): value is RawUsage {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
