import type { Edit } from '../domain/edit.ts'

/**
 * The bytes with each edit's replacement in place of its span. One allocation of the final size.
 *
 * @throws RangeError when edits are not in order, overlap, or reach outside the bytes
 * @example splice(body, [{ name: 'strip-gateway-field', start: 10, end: 40, replacement: new Uint8Array(), why: '' }])
 */
export function splice(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array<ArrayBuffer> {
  const parts = spliceParts(bytes, edits)
  const edited = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    edited.set(part, at)
    at += part.length
  }
  return edited
}

/**
 * The same result as `splice` as a list of views, in order: untouched stretches are not copied.
 *
 * @throws RangeError as `splice` does
 * @example for (const part of spliceParts(body, edits)) request.write(part)
 */
export function spliceParts(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array[] {
  const parts: Uint8Array[] = []
  let kept = 0
  for (const edit of edits) {
    checkEdit(edit, kept, bytes.length)
    if (edit.start > kept) parts.push(bytes.subarray(kept, edit.start))
    if (edit.replacement.length > 0) parts.push(edit.replacement)
    kept = edit.end
  }
  if (kept < bytes.length) parts.push(bytes.subarray(kept))
  return parts
}

/**
 * The same result as `spliceParts` for bytes that come in pieces: what was not touched is given as views of these.
 *
 * @throws RangeError as `splice` does
 * @example const parts = splicePieces(body.pieces, edits)
 */
export function splicePieces(pieces: readonly Uint8Array[], edits: readonly Edit[]): Uint8Array[] {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const parts: Uint8Array[] = []
  let kept = 0
  for (const edit of edits) {
    checkEdit(edit, kept, length)
    parts.push(...viewsOf(pieces, kept, edit.start))
    if (edit.replacement.length > 0) parts.push(edit.replacement)
    kept = edit.end
  }
  parts.push(...viewsOf(pieces, kept, length))
  return parts
}

function viewsOf(pieces: readonly Uint8Array[], start: number, end: number): Uint8Array[] {
  const views: Uint8Array[] = []
  let at = 0
  for (const piece of pieces) {
    const from = Math.max(start - at, 0)
    const to = Math.min(end - at, piece.length)
    if (from < to) views.push(piece.subarray(from, to))
    at += piece.length
  }
  return views
}

/**
 * The edits that undo others: `splice(splice(original, edits), invertEdits(original, edits))` gives
 * back the original bytes. Each inverse carries the bytes that its edit took out.
 *
 * @throws RangeError as `splice` does
 * @example const undo = invertEdits(body, edits)
 */
export function invertEdits(original: Uint8Array, edits: readonly Edit[]): Edit[] {
  let kept = 0
  let shift = 0
  return edits.map((edit) => {
    checkEdit(edit, kept, original.length)
    kept = edit.end
    const start = edit.start + shift
    shift += edit.replacement.length - (edit.end - edit.start)
    return {
      name: `undo-${edit.name}`,
      start,
      end: start + edit.replacement.length,
      replacement: original.slice(edit.start, edit.end),
      why: edit.why,
    }
  })
}

function checkEdit(edit: Edit, from: number, to: number): void {
  const inOrder = Number.isInteger(edit.start) && Number.isInteger(edit.end) && edit.start <= edit.end
  if (!inOrder || edit.start < from || edit.end > to) {
    throw new RangeError(`edit ${edit.name} is [${edit.start}, ${edit.end}), allowed is within [${from}, ${to})`)
  }
}
