/** What went wrong, most of it after SQLite's primary result codes; `other` for the rest. */
export type SqlErrorCode =
  | 'busy'
  | 'readonly'
  | 'io'
  | 'corrupt'
  | 'disk_full'
  | 'too_big'
  | 'cannot_open'
  | 'constraint'
  | 'mismatch'
  | 'not_a_database'
  /** PostgreSQL is away, or its user may not do this, or a newer build has been there. */
  | 'unreachable'
  | 'denied'
  | 'too_new'
  /** The file was deleted or replaced while it was open. */
  | 'gone'
  | 'other'

/** An error of the store, the same for every driver. Messages come from SQLite and hold no values. */
export class SqlError extends Error {
  readonly code: SqlErrorCode

  constructor(code: SqlErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'SqlError'
    this.code = code
  }
}

// https://www.sqlite.org/rescode.html, primary result codes
const primaryCodes: Readonly<Record<number, SqlErrorCode>> = {
  5: 'busy',
  6: 'busy',
  8: 'readonly',
  10: 'io',
  11: 'corrupt',
  13: 'disk_full',
  14: 'cannot_open',
  18: 'too_big',
  19: 'constraint',
  20: 'mismatch',
  26: 'not_a_database',
}

/**
 * A driver's error as a `SqlError`; extended result codes carry the primary one in their low byte.
 * @example sqlErrorOf(error, error.rawCode)
 */
export function sqlErrorOf(error: unknown, resultCode: number | undefined): SqlError {
  if (error instanceof SqlError) return error
  const code = resultCode === undefined ? undefined : primaryCodes[resultCode & 0xff]
  return new SqlError(code ?? 'other', error instanceof Error ? error.message : String(error), error)
}
