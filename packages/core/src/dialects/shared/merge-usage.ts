import { isRecord } from './token-counts.ts'

/**
 * The usage objects of one stream as one: the larger count wins, field by field, so that neither repeated nor
 * split reports are counted twice or lost (D-43).
 *
 * @example merged = mergeUsage(merged, dialect.rawUsage(event))
 */
export function mergeUsage(
  earlier: Readonly<Record<string, unknown>> | undefined,
  later: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (earlier === undefined || later === undefined) return later ?? earlier
  const merged: Record<string, unknown> = { ...earlier }
  let size = Object.keys(merged).length
  for (const [name, value] of Object.entries(later)) {
    // Such a name would set what the object inherits from.
    if (name === '__proto__') continue
    const isNew = !Object.hasOwn(merged, name)
    if (isNew && size >= mostMembers) continue
    if (isNew) size += 1
    merged[name] = mergeValue(isNew ? undefined : merged[name], value)
  }
  return merged
}

/** Members of one object: a stream whose every report has new names must not grow without end. */
const mostMembers = 64

function mergeValue(earlier: unknown, later: unknown): unknown {
  if (typeof earlier === 'number' && typeof later === 'number') return Math.max(earlier, later)
  if (isRecord(earlier) && isRecord(later)) return mergeUsage(earlier, later)
  return later ?? earlier
}
