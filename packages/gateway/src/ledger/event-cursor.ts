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

/** Ids of rows are short and plain; a store does not take just any text. */
const idForm = /^[\x21-\x7e]{1,200}$/

function parse(text: string): EventPosition | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!Array.isArray(value) || value.length !== 2) return undefined
    const [at, id] = value as unknown[]
    return Number.isSafeInteger(at) && typeof id === 'string' && idForm.test(id) ? { at: at as number, id } : undefined
  } catch {
    return undefined
  }
}
