/** Bytes of a sequence by its lead byte, 0 where none may begin. */
const sequenceLength = new Uint8Array(256).fill(2, 0xc2, 0xe0).fill(3, 0xe0, 0xf0).fill(4, 0xf0, 0xf5)

/** The range of a second byte, by lead byte: it excludes overlong forms, surrogates and what is above U+10FFFF. */
const lowestSecond = new Uint8Array(256).fill(0x80)
const highestSecond = new Uint8Array(256).fill(0xbf)
lowestSecond[0xe0] = 0xa0
lowestSecond[0xf0] = 0x90
highestSecond[0xed] = 0x9f
highestSecond[0xf4] = 0x8f

/** End of the multi-byte UTF-8 sequence (RFC 3629) that begins at `start`, or -1 where none does. */
export function utf8SequenceEnd(bytes: Uint8Array, start: number): number {
  const lead = bytes[start]!
  const end = start + sequenceLength[lead]!
  if (end === start || end > bytes.length) return -1
  const second = bytes[start + 1]!
  if (second < lowestSecond[lead]! || second > highestSecond[lead]!) return -1
  for (let i = start + 2; i < end; i++) {
    if ((bytes[i]! & 0xc0) !== 0x80) return -1
  }
  return end
}
