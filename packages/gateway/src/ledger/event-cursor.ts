import { IncipitError } from '@incipit/core'

/** Where a page of events ended: the next page begins below it in (at, id), newest first. */
export interface EventPosition {
  readonly at: number
  readonly id: string
}

/** @example encodeCursor({ at: 1_700_000_000_000, id: 'req_1' }) */
export function encodeCursor(position: EventPosition): string {
  return Buffer.from(JSON.stringify([position.at, position.id])).toString('base64url')
}

/**
 * Reads what `encodeCursor` wrote, and nothing else.
 * @throws IncipitError invalid_request, param `cursor`
 */
export function decodeCursor(cursor: string): EventPosition {
  const position = parse(Buffer.from(cursor, 'base64url').toString())
  if (position === undefined || encodeCursor(position) !== cursor) {
    const message = `"cursor" is not one that this endpoint gave out (${cursor.length} characters)`
    throw new IncipitError('invalid_request', message, { param: 'cursor' })
  }
  return position
}

function parse(text: string): EventPosition | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!Array.isArray(value) || value.length !== 2) return undefined
    const [at, id] = value as unknown[]
    return typeof at === 'number' && Number.isFinite(at) && typeof id === 'string' ? { at, id } : undefined
  } catch {
    return undefined
  }
}
