/** Largest block of the format. */
const longestBlock = 2 ** 17

/**
 * A zstd frame whose blocks are stored as they are (RFC 8878, 3.1.1): Node can write zstd only since 22.15.
 * @example storedZstd(Buffer.from('text'))
 */
export function storedZstd(bytes: Buffer): Buffer {
  const count = Math.max(1, Math.ceil(bytes.length / longestBlock))
  const blocks = Array.from({ length: count }, (_, index) => {
    const content = bytes.subarray(index * longestBlock, (index + 1) * longestBlock)
    const last = index === count - 1 ? 1 : 0
    const head = Buffer.alloc(3)
    head.writeUIntLE((content.length << 3) | last, 0, 3)
    return Buffer.concat([head, content])
  })
  // Magic number, a frame of unknown length, a window of 128 KiB.
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]), ...blocks])
}
