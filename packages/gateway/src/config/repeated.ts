/**
 * Indexes of values that stand further up already.
 * @example repeated(['a', 'b', 'a']) // [2]
 */
export function repeated(values: readonly string[]): number[] {
  const seen = new Set<string>()
  return values.flatMap((value, index) => {
    if (seen.has(value)) return [index]
    seen.add(value)
    return []
  })
}
