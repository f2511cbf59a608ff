/*
 * The JSON scanner of `src/json/write-tape.ts` once more, in AssemblyScript with 128-bit vectors: the same
 * grammar and the same tape. It tells only whether a text is valid; where and why it is not, the JavaScript
 * scanner tells. `node scripts/build-wasm.mjs` compiles it into `src/json/wasm/module-base64.ts`.
 *
 * The caller puts the body into memory; 64 zero bytes come behind it. A zero byte is valid nowhere in JSON,
 * so that no loop has to look for the end.
 */
import { numberEnd } from './number'
import { spaceEnd } from './space'
import { stringEnd } from './text'

/** Bytes of one value on the tape: start, end, following. */
const valueBytes: i32 = 12
const pageBytes: i32 = 65536
/** Pages that memory grows by when the tape is full. */
const growth: i32 = 16

/**
 * Writes the tape at `tape` (a multiple of 4): three integers per value, [start, end, following], positions
 * counted from `body`. Notes the containers that are open from address 0 on, 4 bytes for each level.
 * @returns the length of the tape in integers, 0 when the text is not valid, nests too deep, or memory ran out
 */
export function scan(body: i32, length: i32, maxDepth: i32, tape: i32): i32 {
  for (let zeros = 0; zeros < 64; zeros += 16) v128.store(body + length + zeros, i64x2.splat(0))
  let at = skipSpace(body)
  let top = tape
  let limit = memory.size() * pageBytes
  let depth = 0
  let inObject = false
  do {
    // Room for a name and a value.
    if (top + 2 * valueBytes > limit) {
      if (memory.grow(growth) < 0) return 0
      limit = memory.size() * pageBytes
    }
    if (inObject) {
      if (load<u8>(at) != 0x22) return 0
      const end = stringEnd(at + 1)
      if (end == 0) return 0
      top = push(top, tape, at - body, end - body)
      at = skipSpace(end)
      if (load<u8>(at) != 0x3a) return 0
      at = skipSpace(at + 1)
    }
    const first = <i32>load<u8>(at)
    if (first == 0x7b || first == 0x5b) {
      if (depth == maxDepth) return 0
      inObject = first == 0x7b
      store<i32>(depth << 2, top | <i32>inObject)
      depth++
      top = push(top, tape, at - body, 0)
      at = skipSpace(at + 1)
      // Unless it is empty, a value of its own comes next.
      if (load<u8>(at) != first + 2) continue
    } else {
      const end = first == 0x22 ? stringEnd(at + 1) : bareEnd(at, first)
      if (end == 0) return 0
      top = push(top, tape, at - body, end - body)
      at = skipSpace(end)
    }
    // After a complete value: closes what ends here, and takes the comma that announces the next value.
    while (depth != 0) {
      const byte = load<u8>(at)
      if (byte != 0x2c && byte != (inObject ? 0x7d : 0x5d)) return 0
      at++
      if (byte == 0x2c) break
      depth--
      const container = load<i32>(depth << 2) & ~1
      store<i32>(container, at - body, 4)
      store<i32>(container, (top - tape) >> 2, 8)
      inObject = depth != 0 && (load<i32>((depth - 1) << 2) & 1) != 0
      at = skipSpace(at)
    }
    at = skipSpace(at)
  } while (depth != 0)
  return at == body + length ? (top - tape) >> 2 : 0
}

/** Writes one value; `following` is right for what holds nothing. */
function push(top: i32, tape: i32, start: i32, end: i32): i32 {
  const next = top + valueBytes
  store<i32>(top, start)
  store<i32>(top, end, 4)
  store<i32>(top, (next - tape) >> 2, 8)
  return next
}

/** Between most tokens of a body stands no space: the call is for the others. */
function skipSpace(at: i32): i32 {
  return load<u8>(at) > 0x20 ? at : spaceEnd(at)
}

/** The end of the number or literal that begins with `first`, 0 where none does. */
function bareEnd(at: i32, first: i32): i32 {
  if (first == 0x2d || <u32>(first - 0x30) <= 9) return numberEnd(at)
  const four = load<u32>(at)
  if (four == 0x65757274 || four == 0x6c6c756e) return at + 4 // true, null
  return first == 0x66 && load<u32>(at + 1) == 0x65736c61 ? at + 5 : 0 // false
}
