/** Why a request could not be carried exactly as it was written; add, never rename. `docs/warnings.md` documents each. */
export type WarningCode =
  /** A top-level field has no counterpart in the target's dialect. */
  | 'field_not_carried'
  /** A content block has no counterpart there. */
  | 'block_not_carried'
  /** A tool that is not a function has no counterpart there. */
  | 'tool_not_carried'
  /** A value was replaced by the nearest one the target takes. */
  | 'value_changed'
  /** The target requires a value that the client left open. */
  | 'value_defaulted'
  /** A message stands under another role there. */
  | 'role_changed'
  /** A cache mark has no place there. */
  | 'mark_not_carried'
  /** A cache mark stands at an earlier block, because the target takes none where it stood. */
  | 'mark_moved'
  /** A cache mark was left out: the target takes a limited number. */
  | 'mark_dropped'
  /** All cache marks were taken out after the target refused those that had been moved or translated. */
  | 'marks_stripped'
  /** The life of a cached prefix is another one there. */
  | 'ttl_changed'
  /** A mark whose order the target will refuse was left as the client wrote it. */
  | 'mark_order'
  /** The marked prefix is shorter than the model caches. */
  | 'below_minimum'
  /** The client asked for isolation that this upstream does not offer. */
  | 'isolation_not_enforced'
  /** Another upstream than the first in order answered. */
  | 'failover'
  /** The upstream ended a stream without its terminal event. */
  | 'incomplete_answer'
  /** The request was sent again after a failure. */
  | 'retried'
  /** A soft budget of the key or of its organisation is used up; the request is served. */
  | 'soft_budget'
  /** What a budget has been used for is not known: the ledger did not answer; the request is served. */
  | 'budget_unverified'
  /** The counts of input that the upstream reports do not sum to its own total. */
  | 'usage_mismatch'

/** Something a caller should know about what was sent: data in the result, never only a log line. */
export interface Warning {
  readonly code: WarningCode
  /** JSON pointer into the client's body, or the name of what is meant. */
  readonly where: string
  /** For people: what was seen and what became of it; never prompt text. */
  readonly detail: string
}
