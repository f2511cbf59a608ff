import type { JsonObject } from '../json.ts'

/** One kept response: what can be retrieved, continued from and compared with. */
export interface StoredResponse {
  readonly org: string
  /** The whole conversation up to and including the answer, without instructions. */
  readonly items: readonly JsonObject[]
  /** The input of this request alone. */
  readonly input: readonly JsonObject[]
  /** As it will be once it is done. */
  readonly response: Readonly<Record<string, unknown>>
  /** With `background: true`: done from then on. */
  readonly doneAt: number
  readonly background: boolean
  cancelled: boolean
  readonly comparison: ComparisonBasis
}

/** What diagnostics compare. */
export interface ComparisonBasis {
  readonly parts: Readonly<Record<string, string>>
  readonly tokens: number
  /** The hash of the prompt at each message ending, with its position. */
  readonly endings: readonly { readonly hash: string; readonly position: number }[]
}
