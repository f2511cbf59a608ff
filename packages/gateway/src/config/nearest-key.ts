/**
 * The known key that a mistyped one most likely means; `undefined` when none is close.
 * @example nearestKey('prot', ['host', 'port']) // 'port'
 */
export function nearestKey(key: string, known: readonly string[]): string | undefined {
  const wanted = normalise(key)
  let nearest: string | undefined
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1
  for (const candidate of known) {
    const other = normalise(candidate)
    const distance = beginsWith(wanted, other) ? 1 : editDistance(wanted, other)
    if (distance < least) {
      least = distance
      nearest = candidate
    }
  }
  return nearest
}

/** `maxBodyBytes` and `max-body-bytes` are `max_body_bytes` to a person. */
function normalise(key: string): string {
  return key
    .slice(0, 100)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
}

/** `shutdown` for `shutdown_seconds`, but no single letter for everything it begins. */
function beginsWith(wanted: string, candidate: string): boolean {
  return wanted.length >= 4 && candidate.startsWith(wanted)
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(left: string, right: string): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, column) => column)]
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Infinity
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    rows.push(current)
    for (let column = 1; column <= right.length; column++) {
      const replaced = at(row - 1, column - 1) + (left[row - 1] === right[column - 1] ? 0 : 1)
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      const alternatives = [replaced, at(row - 1, column) + 1, (current[column - 1] ?? Infinity) + 1]
      if (swapped) alternatives.push(at(row - 2, column - 2) + 1)
      current.push(Math.min(...alternatives))
    }
  }
  return at(left.length, right.length)
}
