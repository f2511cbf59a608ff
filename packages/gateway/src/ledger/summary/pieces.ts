/** Widths of the cells in which sums are kept, in milliseconds: every time zone in use begins its days on one of them. */
export const levels = [900_000, 3_600_000, 86_400_000] as const

export const quarterMs: number = levels[0]

/** A stretch of time and the width of the cells that make it up; `undefined`: single events. */
export interface Piece {
  readonly width: number | undefined
  readonly since: number
  readonly until: number
}

/**
 * Cuts time at the given bounds (rising; the first and the last are its ends) into stretches of the widest cells that
 * cross no bound. What is left at ragged bounds is made up of single events.
 * @example cut([10, 2 * 3_600_000]) // single events, quarters of an hour, one hour
 */
export function cut(bounds: readonly number[]): Piece[] {
  const pieces: Piece[] = []
  for (const [index, since] of bounds.entries()) {
    const until = bounds[index + 1]
    if (until !== undefined) fill(since, until, levels.length - 1, pieces)
  }
  return pieces
}

function fill(since: number, until: number, level: number, pieces: Piece[]): void {
  if (since >= until) return
  const width = levels[level]
  const from = width === undefined ? since : Math.ceil(since / width) * width
  const to = width === undefined ? until : Math.floor(until / width) * width
  if (width !== undefined && from >= to) fill(since, until, level - 1, pieces)
  else {
    if (width !== undefined) fill(since, from, level - 1, pieces)
    append({ width, since: from, until: to }, pieces)
    if (width !== undefined) fill(to, until, level - 1, pieces)
  }
}

/** Neighbours of one width are one piece. */
function append(piece: Piece, pieces: Piece[]): void {
  const last = pieces.at(-1)
  if (last?.width === piece.width && last?.until === piece.since) {
    pieces[pieces.length - 1] = { ...last, until: piece.until }
  } else pieces.push(piece)
}
