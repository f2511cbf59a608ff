/**
 * The emulators' token count: a documented approximation, four UTF-8 bytes a token, rounded up.
 * @example countTokens('hello') // 2
 */
export function countTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken)
}

export const bytesPerToken = 4
