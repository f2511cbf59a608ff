import type {
  DialectName,
  EpochMs,
  Milliseconds,
  OrgId,
  RequestId,
  SessionId,
  TokenCount,
  Usage,
  WireHash,
} from '@incipit/core'

/** What a ledger row stands for; everything but `request` has a parent or none, never a client's answer. */
export type EventKind = 'request' | 'attempt' | 'ping' | 'prewarm' | 'storage'

/** One row of the ledger: append-only, corrections are new rows. `undefined` = not reported or not known. */
export interface LedgerEvent {
  readonly id: RequestId
  readonly kind: EventKind
  readonly parentId: RequestId | undefined
  readonly at: EpochMs
  readonly org: OrgId
  /** Name of the key used, never the key. */
  readonly keyName: string | undefined
  /** HMAC of the session id: the raw id never reaches the store. */
  readonly session: SessionId | undefined
  /** `IsolationScope.key`. */
  readonly scopeKey: string
  readonly dialect: DialectName
  readonly upstream: string | undefined
  readonly replica: string | undefined
  /** As the client named it, and as it was served. */
  readonly model: string
  readonly servedModel: string | undefined
  readonly stream: boolean
  readonly configGeneration: number
  readonly configHash: string
  readonly wireHash: WireHash | undefined
  readonly usage: Usage
  /** The provider's own usage object, as JSON text. */
  readonly rawUsage: string | undefined
  readonly inputTokens: TokenCount | undefined
  readonly cachedInputTokens: TokenCount | undefined
  /** Prompt tokens the engine counted as evaluated; local models only. */
  readonly evaluatedTokens: TokenCount | undefined
  readonly expectedTokens: TokenCount | undefined
  readonly prefixCache: 'on' | 'off'
  /** Names of the edits applied, in order. */
  readonly edits: readonly string[]
  readonly warnings: readonly string[]
  readonly ttftMs: Milliseconds | undefined
  readonly totalMs: Milliseconds
  readonly status: number
  /** Code of the error table when the request failed. */
  readonly errorCode: string | undefined
  /** The upstream's own id of the answer. */
  readonly answerId: string | undefined
}

/** Which events: every given field must match; `since` is the first instant, `until` the one after the last. */
export interface EventFilter {
  readonly org?: OrgId | undefined
  readonly keyName?: string | undefined
  readonly session?: string | undefined
  readonly model?: string | undefined
  readonly upstream?: string | undefined
  readonly since?: EpochMs | undefined
  readonly until?: EpochMs | undefined
}

/** Where a stored answer is, and who may ask for it. */
export interface StoredAnswer {
  readonly org: OrgId
  readonly upstream: string | undefined
}

/** A page of events, newest first; `nextCursor` is opaque and `undefined` on the last page. */
export interface EventPage {
  readonly events: readonly LedgerEvent[]
  readonly nextCursor: string | undefined
}

/** Totals over a filter: requests, and disjoint token sums over the requests that reported them. */
export interface LedgerTotals {
  readonly requests: number
  readonly warmRequests: number
  readonly failedRequests: number
  readonly inputTokens: number
  readonly cachedInputTokens: number
  readonly outputTokens: number
  /** Requests whose usage was not reported: they are in `requests` and in no token sum. */
  readonly unreportedRequests: number
}

/**
 * The record of usage. Asynchronous from the first day: SQLite answers from a worker thread,
 * PostgreSQL over the network.
 */
export interface Ledger {
  /**
   * Resolves once the row would survive a killed process; every question asked after that sees it. An id that
   * is there already keeps its first row, so that recording again after a lost answer does no harm.
   */
  record(event: LedgerEvent): Promise<void>
  /** @throws IncipitError invalid_request, param `cursor` or `limit` (1 to 1000) */
  events(
    filter: EventFilter,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<EventPage>
  find(id: RequestId): Promise<LedgerEvent | undefined>
  /** Whose stored answer of OpenAI this is, and where it is stored; only ids that begin with `resp_` are known. */
  findStoredAnswer(answerId: string): Promise<StoredAnswer | undefined>
  /** Over events of kind `request`: attempts, pings and the like are part of a request or of none. */
  totals(filter: EventFilter): Promise<LedgerTotals>
  close(): Promise<void>
}
