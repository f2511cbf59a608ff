import type { EpochMs, OrgId } from '@incipit/core'
import type { Limits } from '../limits/limits.ts'
import type { Scopes } from './scopes.ts'

/** A key that was made while the gateway ran. The secret itself is nowhere: its digest is beside it in the store. */
export interface VirtualKey {
  /** `key_` and 24 hex digits. */
  readonly id: string
  readonly org: OrgId
  /** What ledger and messages call the key; no other key of the gateway is named like it. */
  readonly name: string
  readonly role: 'member' | 'admin'
  readonly scopes: Scopes
  readonly limits: Limits
  readonly expiresAt: EpochMs | undefined
  readonly disabled: boolean
  /** Whatever its makers want to keep with it; nothing here reads it. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** Enough of the key to tell it from others. */
  readonly hint: string
  readonly createdAt: EpochMs
  /** Name of the key that made it; `undefined` = made on an open gateway. */
  readonly createdBy: string | undefined
  readonly updatedAt: EpochMs
  readonly rotatedAt: EpochMs | undefined
}

/** A key as the store has it. */
export interface StoredKey {
  readonly key: VirtualKey
  /** SHA-256 of the secret, hex. */
  readonly digest: string
  /** Digest of the secret before the last rotation, which is valid until then. */
  readonly previous: { readonly digest: string; readonly until: EpochMs } | undefined
}
