import type { EpochMs } from '@incipit/core'
import type { StoredKey } from './virtual-key.ts'

/** What became of a key, numbered in the order in which it happened. */
export type KeyChange = { readonly revision: number } & (
  | { readonly kind: 'kept'; readonly stored: StoredKey; readonly lastUsedAt: EpochMs | undefined }
  | { readonly kind: 'revoked'; readonly id: string }
)

/** What became of a write. */
export type KeyWrite =
  | { readonly kind: 'written'; readonly revision: number }
  /** Another key has this name. */
  | { readonly kind: 'name-taken' }
  /** The key is another one by now, or gone. */
  | { readonly kind: 'changed' }

/**
 * Where virtual keys are kept. Several gateways may have one store: each learns of what the others did by asking
 * for the changes after the last revision it knows. A write that has resolved survives a killed process.
 */
export interface KeyStore {
  /** Changes after a revision, oldest first, at most `limit`: of each key only the last one. */
  changes(after: number, limit: number): Promise<readonly KeyChange[]>
  insert(stored: StoredKey): Promise<KeyWrite>
  /** Replaces the key as it was at `revision`. */
  replace(stored: StoredKey, revision: number): Promise<KeyWrite>
  /** Forgets the secret of a key for good; its id stays, so that other gateways hear of it. */
  revoke(id: string, revision: number): Promise<KeyWrite>
  /** Keeps the latest of the times given; that is no change of the keys. */
  noteUse(uses: readonly KeyUse[]): Promise<void>
  close(): Promise<void>
}

export interface KeyUse {
  readonly id: string
  readonly at: EpochMs
}
