import type {
  DialectName,
  EpochMs,
  Milliseconds,
  OrgId,
  PicoUsd,
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
  /** Whose price list applies: a company, unlike `upstream`; `engine` for models of this machine. */
  readonly provider: string | undefined
  /** What the provider says it served: `standard`, `batch`, `flex`, `priority` and the like. */
  readonly serviceTier: string | undefined
  readonly stream: boolean
  readonly configGeneration: number
  readonly configHash: string
  readonly wireHash: WireHash | undefined
  readonly usage: Usage
  /** Token-hours that a provider bills for keeping a cache, as a fraction; of events that are no request. */
  readonly storage: number | undefined
  /** The provider's own usage object, as JSON text. */
  readonly rawUsage: string | undefined
  readonly inputTokens: TokenCount | undefined
  readonly cachedInputTokens: TokenCount | undefined
  /** Prompt tokens the engine counted as evaluated; local models only. */
  readonly evaluatedTokens: TokenCount | undefined
  readonly expectedTokens: TokenCount | undefined
  /** The provider's own total of the input; where it is not the sum of the buckets, the row says so by both. */
  readonly reportedInputTokens: TokenCount | undefined
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
  /** What it cost, all of it; `undefined` = usage or price is not known. */
  readonly cost: PicoUsd | undefined
  /** Parts of the cost; the rest is plain input, or storage. */
  readonly costRead: PicoUsd | undefined
  readonly costWrite: PicoUsd | undefined
  readonly costOutput: PicoUsd | undefined
  /** What the same tokens cost where nothing is cached; saved = this less the cost, and may be negative. */
  readonly counterfactual: PicoUsd | undefined
  /** The price that was applied: its list, model and first day. */
  readonly priceId: string | undefined
  /** Drawn for the control group: served as without Incipit. */
  readonly control: boolean
  /** Earlier requests that may have left a cache: of the same session, of others with the same opening, or none. */
  readonly reuse: Reuse | undefined
  readonly verdict: Verdict | undefined
  /** Why, of the public vocabulary of causes. */
  readonly cause: string | undefined
  /** Of the provider's rate limits, the part that is left: 0 to 1. */
  readonly requestHeadroom: number | undefined
  readonly tokenHeadroom: number | undefined
}

export type Reuse = 'first' | 'same_session' | 'across_sessions'
export type Verdict = 'warm' | 'partial' | 'cold'

/** Which events: every given field must match; `since` is the first instant, `until` the one after the last. */
export interface EventFilter {
  readonly kind?: EventKind | undefined
  readonly status?: number | undefined
  readonly provider?: string | undefined
  readonly org?: OrgId | undefined
  readonly keyName?: string | undefined
  readonly session?: string | undefined
  readonly model?: string | undefined
  readonly upstream?: string | undefined
  readonly verdict?: string | undefined
  readonly cause?: string | undefined
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

/** What a summary can be grouped by; `prefix` is the wire hash, `key` the name of the key. */
export type GroupKey =
  | 'org'
  | 'key'
  | 'session'
  | 'model'
  | 'served_model'
  | 'upstream'
  | 'provider'
  | 'dialect'
  | 'verdict'
  | 'cause'
  | 'prefix'
  | 'control'
  | 'reuse'
  | 'service_tier'

export type SummaryInterval = 'none' | 'hour' | 'day' | 'week' | 'month'

/** Bands of prompts by their input tokens, the first number included, the second not. */
export type PromptSizeBand = '0-1k' | '1k-4k' | '4k-16k' | '16k-64k' | '64k-256k' | '256k+'

/** A question to the ledger: totals per group and per interval of the calendar in a time zone. */
export interface SummaryQuery {
  readonly filter: EventFilter
  readonly groupBy: readonly GroupKey[]
  /** Weeks begin on Monday. */
  readonly interval: SummaryInterval
  /** IANA name: `UTC`, `Europe/Berlin`. */
  readonly timeZone: string
  /** Rows at most: 1 to 10,000. */
  readonly limit: number
}

/**
 * Rows in the order of their start, then most requests first. An interval or a group in which nothing happened has
 * no row; without groups and intervals there is exactly one row.
 */
export interface Summary {
  readonly rows: readonly SummaryRow[]
  /** There are more than `limit` rows; these are the first ones. */
  readonly truncated: boolean
  /**
   * What was added up: as asked for, else from the first to behind the last row of the ledger, or of the
   * organisation that was asked for. Where single events
   * have been pruned, both reach to the quarter of an hour around what was asked for; questions that need single
   * events (session, prefix, verdict, cause, reuse, control) begin where these do.
   */
  readonly since: EpochMs
  readonly until: EpochMs
}

export interface SummaryRow {
  /** The first instant of the interval; `undefined` without intervals. */
  readonly start: EpochMs | undefined
  /** `undefined` = not known; `control` is `true` or `false`. */
  readonly group: Readonly<Partial<Record<GroupKey, string | undefined>>>
  readonly totals: SummaryTotals
}

/** Requests and their tokens, over those that reported them. */
export interface RequestTotals {
  readonly requests: number
  readonly inputTokens: number
  readonly cachedInputTokens: number
}

/** Requests of one side of the control group; both amounts over the requests for which both are known. */
export interface ControlTotals extends RequestTotals {
  readonly cost: PicoUsd
  readonly counterfactual: PicoUsd
}

/** Rows of one kind that are no requests, and what they cost. */
export interface OverheadTotals {
  readonly kind: 'ping' | 'prewarm' | 'storage'
  readonly rows: number
  /** Over the rows whose cost is known. */
  readonly cost: PicoUsd
  /** Rows whose cost is not known. */
  readonly unpriced: number
  readonly storageTokenHours: number
}

/** TTFT over successful and failed requests that began to answer; each percentile is within 5 %. */
export interface TtftTotals {
  /** Cold: no token was read from a cache. Requests that did not report it are in neither. */
  readonly temperature: 'cold' | 'warm'
  /** `all`: of every size, also where the size was not reported. */
  readonly size: PromptSizeBand | 'all'
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
}

/**
 * Sums over events of kind `request`, but for `attempts` and `overhead`. What was not reported or not known is in no
 * sum; the counts say of how many requests that is so.
 */
export interface SummaryTotals {
  readonly requests: number
  /** At least one token was read from a cache; `partialRequests` of them have that verdict. */
  readonly warmRequests: number
  readonly partialRequests: number
  readonly failedRequests: number
  readonly unreportedRequests: number
  /** Tries that led to no answer. */
  readonly attempts: number
  readonly inputTokens: number
  readonly cachedInputTokens: number
  readonly outputTokens: number
  readonly fresh: number
  readonly read: number
  readonly write5m: number
  readonly write30m: number
  readonly write1h: number
  readonly write12h: number
  /** Over the requests whose cost is known. */
  readonly cost: PicoUsd
  readonly costRead: PicoUsd
  readonly costWrite: PicoUsd
  readonly costOutput: PicoUsd
  /** Over the requests whose cost and counterfactual are known, and `comparedCost` is what these cost. */
  readonly counterfactual: PicoUsd
  readonly comparedCost: PicoUsd
  /** Requests with tokens whose cost is not known. */
  readonly unpricedRequests: number
  /** One entry per kind of which there are rows. */
  readonly overhead: readonly OverheadTotals[]
  /** Sum of the whole time of the requests. */
  readonly busyMs: number
  /** One entry per temperature and size that was met, cold first, `all` before the bands. */
  readonly ttft: readonly TtftTotals[]
  readonly reuse: Readonly<Record<Reuse, RequestTotals>>
  readonly control: { readonly control: ControlTotals; readonly treated: ControlTotals }
  /** The lowest seen. */
  readonly leastHeadroom: { readonly requests: number | undefined; readonly tokens: number | undefined }
}

/** How one prefix was used: its requests, and what of their input was read from a cache. */
export interface PrefixTotals extends RequestTotals {
  readonly prefix: string
  readonly sessions: number
  readonly firstSeen: EpochMs
  readonly lastSeen: EpochMs
}

/** What is to be erased: everything of an organisation, of a session, or of one session of an organisation. */
export interface ErasureFilter {
  readonly org?: OrgId | undefined
  readonly session?: string | undefined
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
  /** @throws IncipitError invalid_request, param `tz`, `limit`, or `interval` where there would be too many of them */
  summary(query: SummaryQuery): Promise<Summary>
  /** The prefixes of requests, those with most input first; `limit` is 1 to 1000. */
  prefixes(filter: EventFilter, limit: number): Promise<readonly PrefixTotals[]>
  /**
   * Deletes the single events before an instant, rounded down to a quarter of an hour; summaries keep them.
   * @returns how many events went
   */
  prune(before: EpochMs): Promise<number>
  /**
   * Deletes events and their part in summaries, whatever was recorded before the call; nothing of it comes back from
   * a journal. Side effect: what is recorded with an earlier time afterwards is left out as well.
   * @returns how many events went
   * @throws RangeError when neither is named
   */
  erase(what: ErasureFilter): Promise<number>
  close(): Promise<void>
}
