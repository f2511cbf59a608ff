import type { EpochMs } from '@incipit/core'
import type { SqlRow } from '../ledger/driver.ts'
import type { KeyChange } from './key-store.ts'
import type { StoredKey, VirtualKey } from './virtual-key.ts'

/** Columns of a key that is kept, in the order of `keyColumns`. */
export type KeyRow = readonly [id: string, name: string, digest: string, data: string]

/** What of a key is no column of its own. */
interface KeyData extends Omit<VirtualKey, 'id' | 'name'> {
  readonly previous?: StoredKey['previous']
}

/** @example toKeyRow(stored)[1] // its name */
export function toKeyRow({ key, digest, previous }: StoredKey): KeyRow {
  const { id, name, ...rest } = key
  const data: KeyData = { ...rest, previous }
  return [id, name, digest, JSON.stringify(data)]
}

/** A row as it comes back: a key that is kept, or what is left of one that was revoked. */
export function fromKeyRow(row: SqlRow): KeyChange {
  const id = String(row['id'])
  const revision = Number(row['revision'])
  if (row['digest'] === null) return { kind: 'revoked', id, revision }
  const { previous, ...rest } = JSON.parse(String(row['data'])) as KeyData // written by `toKeyRow` only
  const key = { ...withAbsent, ...rest, id, name: String(row['name']) }
  const used = row['last_used_at']
  return {
    kind: 'kept',
    revision,
    stored: { key, digest: String(row['digest']), previous },
    lastUsedAt: used === null || used === undefined ? undefined : (Number(used) as EpochMs), // as it was written
  }
}

/** JSON leaves out what is `undefined`. */
const withAbsent = { expiresAt: undefined, createdBy: undefined, rotatedAt: undefined }
