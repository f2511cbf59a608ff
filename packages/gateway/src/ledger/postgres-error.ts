import type { SqlErrorCode } from './sql-error.ts'
import { SqlError } from './sql-error.ts'

/** What SQLSTATE codes, or the classes of their first two characters, mean here. */
const meanings: Readonly<Record<string, SqlErrorCode>> = {
  '08': 'unreachable',
  '57P01': 'unreachable',
  '57P02': 'unreachable',
  '57P03': 'unreachable',
  '57P05': 'unreachable',
  '53300': 'unreachable',
  '55P03': 'busy',
  '57014': 'busy',
  '40': 'busy',
  '53100': 'disk_full',
  '28': 'denied',
  '42501': 'denied',
  '3D000': 'cannot_open',
  '25006': 'readonly',
  '23': 'constraint',
  '22': 'mismatch',
  '54': 'too_big',
}

const advice: Partial<Record<string, string>> = {
  '28': 'the database refuses this user or password',
  '28P01': 'the database refuses this user or password',
  '42501': 'the role lacks a permission: it must own the schema "incipit", or be allowed to create it',
  '3D000': 'there is no such database: create it first',
  '57P03': 'the database is starting up or shutting down',
  '53300': 'the database has no connection left',
  '55P03': 'a lock of the database was not given in time',
  '57014': 'the database did not answer in time',
  '53100': 'the disk of the database is full',
  '25006': 'the database takes no changes: it is a replica, or read-only',
}

/** An error of the driver in our words. Messages of the database about values are left out: they quote them. */
export function postgresErrorOf(error: unknown): SqlError {
  if (error instanceof SqlError) return error
  const message = error instanceof Error ? error.message : String(error)
  const state = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (!/^[0-9A-Z]{5}$/.test(state) || state.startsWith('E')) return withoutState(error, state, message)
  const code = meanings[state] ?? meanings[state.slice(0, 2)] ?? 'other'
  const words = advice[state] ?? advice[state.slice(0, 2)]
  if (words !== undefined) return new SqlError(code, `${words} (${state})`, error)
  if (code === 'mismatch') return new SqlError(code, `a value does not fit its column (${state})`, error)
  return new SqlError(code, `${message} (${state})`, error)
}

/** Errors of the network, of TLS and of the driver itself: nobody was reached. */
function withoutState(error: unknown, state: string, message: string): SqlError {
  const named = state === '' || message.includes(state) ? message : `${message} (${state})`
  // Of several addresses that were tried, each has its own reason.
  const first = error instanceof AggregateError ? error.errors.map(String).join('; ') : named
  return new SqlError('unreachable', `the database cannot be reached: ${first}`, error)
}
