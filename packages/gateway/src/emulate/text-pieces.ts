const piecesPerStream = 12
const largestPiece = 16_384

/**
 * Cuts a text into the pieces of a stream; together they are the text again, and no character is cut.
 * @example textPieces('a few words')
 */
export function textPieces(text: string): readonly string[] {
  const size = Math.min(largestPiece, Math.max(1, Math.ceil(text.length / piecesPerStream)))
  const pieces: string[] = []
  for (let start = 0; start < text.length;) {
    const end = start + size
    const splitsPair = /[\uD800-\uDBFF]/.test(text.charAt(end - 1))
    pieces.push(text.slice(start, splitsPair ? end + 1 : end))
    start = splitsPair ? end + 1 : end
  }
  return pieces
}
