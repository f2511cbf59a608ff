import type { EpochMs } from '@incipit/core'
import { epochMs, orgId } from '@incipit/core'
import { randomBytes } from 'node:crypto'
import type { Limits } from '../limits/limits.ts'
import { noLimits } from '../limits/limits.ts'
import { keyDigest, keyHint, mintKey } from './key-text.ts'
import type { Scopes } from './scopes.ts'
import { allScopes } from './scopes.ts'
import type { StoredKey, VirtualKey } from './virtual-key.ts'

/** What the maker of a key decides. */
export interface KeyDraft {
  readonly org: string
  readonly name: string
  readonly role: VirtualKey['role']
  readonly scopes?: Scopes | undefined
  readonly limits?: Limits | undefined
  readonly expiresAt?: EpochMs | undefined
  readonly disabled: boolean
  readonly metadata: VirtualKey['metadata']
}

/** What of a key can be changed; a field that is not there stays. */
export type KeyPatch = Partial<
  Pick<VirtualKey, 'name' | 'role' | 'scopes' | 'limits' | 'expiresAt' | 'disabled' | 'metadata'>
>

/** A key with its secret, which is shown once and kept nowhere. */
export interface Minted {
  readonly stored: StoredKey
  readonly secret: string
}

/** @example newKey(draft, { now: clock.now(), by: caller.keyName }).secret // 'inc_...' */
export function newKey(draft: KeyDraft, { now, by }: { now: EpochMs; by: string | undefined }): Minted {
  const secret = mintKey()
  const key: VirtualKey = {
    id: `key_${randomBytes(12).toString('hex')}`,
    org: orgId(draft.org),
    name: draft.name,
    role: draft.role,
    scopes: draft.scopes ?? allScopes,
    limits: draft.limits ?? noLimits,
    expiresAt: draft.expiresAt,
    disabled: draft.disabled,
    metadata: draft.metadata,
    hint: keyHint(secret),
    createdAt: now,
    createdBy: by,
    updatedAt: now,
    rotatedAt: undefined,
  }
  return { secret, stored: { key, digest: digestOf(secret), previous: undefined } }
}

/** @example changedKey(stored, { disabled: true }, clock.now()) */
export function changedKey(stored: StoredKey, patch: KeyPatch, now: EpochMs): StoredKey {
  return { ...stored, key: { ...stored.key, ...patch, updatedAt: now } }
}

/** Another secret for a key. The one before stays valid for a while, so that nothing has to change in the same second. */
export function rotatedKey(stored: StoredKey, graceSeconds: number, now: EpochMs): Minted {
  const secret = mintKey()
  const previous =
    graceSeconds === 0 ? undefined : { digest: stored.digest, until: epochMs(now + graceSeconds * 1_000) }
  const key = { ...stored.key, hint: keyHint(secret), rotatedAt: now, updatedAt: now }
  return { secret, stored: { key, digest: digestOf(secret), previous } }
}

function digestOf(secret: string): string {
  return keyDigest(secret).toString('hex')
}
