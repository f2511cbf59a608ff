import type { PrefixNode } from './prefix-tree.ts'

/** Where the reused tokens of a prompt came from. */
export interface CachedTokens {
  readonly hot: number
  readonly ram: number
  readonly disk: number
}

/** What a request holds of the KV buffer from start to end. */
export interface Lease {
  readonly sequence: number
  readonly scope: string
  /** Whether what it computes may be kept for others. */
  readonly stores: boolean
  cached: CachedTokens
  /** Pages of the sequence in order of position; grows with the output. */
  pages: Int32Array
  /** The tree node that keeps its prefix from being evicted. */
  pinned: PrefixNode | undefined
  /** A reset came after its start: what it holds must not come back. */
  forgotten: boolean
}

export interface LeaseRequest {
  readonly scope: string
  readonly tokens: Int32Array
  /** Tokens to keep room for, prompt included. */
  readonly reserveTokens: number
  readonly prefixCache: 'on' | 'off'
  /** The request that was suspended and goes on. */
  readonly resumes?: string | undefined
}

/** What is known of a request that has ended. */
export interface RequestEnd {
  readonly promptTokens: number
  /** A person goes on; a program does where it is false; `undefined` = not known. */
  readonly turnOver: boolean | undefined
}
