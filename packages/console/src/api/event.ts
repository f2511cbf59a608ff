/** A value of an event; `null` = not reported or not known. */
export type FieldValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly FieldValue[]
  | { readonly [name: string]: FieldValue }

/** A row of `GET /v1/events`: only the fields that were asked for are there. */
export type EventRow = Readonly<Record<string, FieldValue>>

export interface EventPage {
  readonly data: readonly EventRow[]
  readonly next_cursor: string | null
}

/** The number in a field, when it holds one. */
export function numberIn(event: EventRow, field: string): number | undefined {
  const value = event[field]
  return typeof value === 'number' ? value : undefined
}

/** The text in a field, when it holds some. */
export function textIn(event: EventRow, field: string): string | undefined {
  const value = event[field]
  return typeof value === 'string' ? value : undefined
}

/** Tokens written to a cache, for whatever time; `undefined` where nothing about it was reported. */
export function writtenBy(event: EventRow): number | undefined {
  const counts = ['write_5m_tokens', 'write_30m_tokens', 'write_1h_tokens', 'write_12h_tokens']
    .map((field) => numberIn(event, field))
    .filter((count) => count !== undefined)
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0)
}

/** A try without an answer has no usage that could be reported. */
export function hasUsage(event: EventRow): boolean {
  return event['kind'] !== 'attempt'
}
