const quote = 0x22
const backslash = 0x5c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** Members of a stream event that hold the answer it begins or ends. */
const holders = ['response', 'message']
/** Objects inside each other in which it is looked for: an event holds an answer, which holds no other. */
const mostHolders = 2
const wordForm = /^[\w.:-]{1,128}$/

/**
 * A word that an answer says of itself, or the event that holds one: the value of its own member of this name, wherever
 * it stands among the others, and never of one that stands deeper, such as in what an answer repeats of its request.
 * Reads no further than to it.
 *
 * @example ownMember(Buffer.from('{"metadata":{"id":"x"},"id":"resp_1"}'), 'id') // 'resp_1'
 */
export function ownMember(bytes: Buffer, name: string): string | undefined {
  const start = bytes.indexOf(openBrace)
  return start === -1 ? undefined : inObject(bytes, start, { name, left: mostHolders })
}

/** What is looked for, and in how many objects more. */
interface Sought {
  readonly name: string
  readonly left: number
}

function inObject(bytes: Buffer, start: number, sought: Sought): string | undefined {
  let depth = 0
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === openBrace || byte === openBracket) depth++
    else if (byte === closeBrace || byte === closeBracket) {
      if (--depth === 0) return undefined
    } else if (byte === quote) {
      const end = stringEnd(bytes, at)
      const found = depth === 1 ? inMember(bytes, { start: at, end }, sought) : undefined
      if (found !== undefined) return found.word
      at = end - 1
    }
  }
  return undefined
}

/** What a member says of it; `undefined` = nothing, another one may. */
function inMember(
  bytes: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
  { name, left }: Sought,
): { readonly word: string | undefined } | undefined {
  const behind = valueBehind(bytes, end)
  if (behind === undefined) return undefined
  const member = bytes.toString('latin1', start + 1, end - 1)
  if (member === name) return { word: textAt(bytes, behind) }
  return left > 1 && holders.includes(member) && bytes[behind] === openBrace
    ? { word: inObject(bytes, behind, { name, left: left - 1 }) }
    : undefined
}

/** Behind the closing quote; the end of the bytes where there is none. */
function stringEnd(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(quote, start + 1); at !== -1; at = bytes.indexOf(quote, at + 1)) {
    let slashes = 0
    while (bytes[at - 1 - slashes] === backslash) slashes++
    if (slashes % 2 === 0) return at + 1
  }
  return bytes.length
}

/** Where the value begins, if the text before was the name of a member. */
function valueBehind(bytes: Buffer, end: number): number | undefined {
  const at = skipSpace(bytes, end)
  return bytes[at] === colon ? skipSpace(bytes, at + 1) : undefined
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length && (bytes[at] ?? 0) <= 0x20) at++
  return at
}

function textAt(bytes: Buffer, start: number): string | undefined {
  if (bytes[start] !== quote) return undefined
  const end = stringEnd(bytes, start)
  const text = bytes.toString('latin1', start + 1, end - 1)
  return bytes[end - 1] === quote && wordForm.test(text) ? text : undefined
}
