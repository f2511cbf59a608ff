import type { PicoUsd } from '@incipit/core'
import { IncipitError, picoUsd, usd } from '@incipit/core'
import type { LedgerEvent } from './port.ts'

/** A value of an event as JSON; `null` = not reported or not known. */
export type EventFieldValue =
  | string
  | number
  | boolean
  | null
  | readonly EventFieldValue[]
  | { readonly [name: string]: EventFieldValue }

/** An event as `GET /v1/events` shows it. */
export type EventView = Readonly<Record<string, EventFieldValue>>

type Reader = (event: LedgerEvent) => EventFieldValue | undefined

/** What an event shows when no fields are asked for, in this order. */
const defaultFields: Readonly<Record<string, Reader>> = {
  id: (event) => event.id,
  kind: (event) => event.kind,
  parent_id: (event) => event.parentId,
  at: (event) => new Date(event.at).toISOString(),
  org: (event) => event.org,
  key: (event) => event.keyName,
  session: (event) => event.session,
  scope: (event) => event.scopeKey,
  dialect: (event) => event.dialect,
  upstream: (event) => event.upstream,
  replica: (event) => event.replica,
  model: (event) => event.model,
  served_model: (event) => event.servedModel,
  stream: (event) => event.stream,
  config_generation: (event) => event.configGeneration,
  config_hash: (event) => event.configHash,
  wire_hash: (event) => event.wireHash,
  usage: usageView,
  raw_usage: rawUsageView,
  input_tokens: (event) => event.inputTokens,
  cached_input_tokens: (event) => event.cachedInputTokens,
  evaluated_tokens: (event) => event.evaluatedTokens,
  expected_tokens: (event) => event.expectedTokens,
  prefix_cache: (event) => event.prefixCache,
  edits: (event) => event.edits,
  warnings: (event) => event.warnings,
  ttft_ms: (event) => event.ttftMs,
  total_ms: (event) => event.totalMs,
  status: (event) => event.status,
  error_code: (event) => event.errorCode,
  answer_id: (event) => event.answerId,
  reported_input_tokens: (event) => event.reportedInputTokens,
  provider: (event) => event.provider,
  service_tier: (event) => event.serviceTier,
  cost_usd: (event) => dollars(event.cost),
  counterfactual_usd: (event) => dollars(event.counterfactual),
  saved_usd: (event) => dollars(savedBy(event)),
  price_id: (event) => event.priceId,
  control: (event) => event.control,
  reuse: (event) => event.reuse,
  verdict: (event) => event.verdict,
  cause: (event) => event.cause,
  request_headroom: (event) => event.requestHeadroom,
  token_headroom: (event) => event.tokenHeadroom,
}

/** The buckets of `usage` and the parts of the cost one by one, shown only when asked for. */
const bucketFields: Readonly<Record<string, Reader>> = {
  fresh_tokens: (event) => event.usage.fresh,
  read_tokens: (event) => event.usage.read,
  write_5m_tokens: (event) => event.usage.write5m,
  write_30m_tokens: (event) => event.usage.write30m,
  write_1h_tokens: (event) => event.usage.write1h,
  write_12h_tokens: (event) => event.usage.write12h,
  output_tokens: (event) => event.usage.output,
  storage_token_hours: (event) => event.storage,
  cost_read_usd: (event) => dollars(event.costRead),
  cost_write_usd: (event) => dollars(event.costWrite),
  cost_output_usd: (event) => dollars(event.costOutput),
}

const readers = new Map(Object.entries({ ...defaultFields, ...bucketFields }))

/** What an event shows when no fields are asked for. */
export const defaultEventFieldNames: readonly string[] = Object.keys(defaultFields)

/** Every name that `fields` takes. */
export const eventFieldNames: readonly string[] = [...readers.keys()]

/**
 * Events as JSON values: with `fields` (`a,b,c`, as in the query string) only those, in that order.
 * @throws IncipitError invalid_request, param `fields`, for a name that is not known
 * @example projectEvents(page.events, 'cached_input_tokens,input_tokens,model')
 */
export function projectEvents(events: readonly LedgerEvent[], fields?: string): EventView[] {
  const names = fields === undefined ? defaultEventFieldNames : knownFields(fields)
  const columns = names.map((name) => [name, readers.get(name)] as const)
  return events.map((event) => Object.fromEntries(columns.map(([name, read]) => [name, read?.(event) ?? null])))
}

function knownFields(fields: string): string[] {
  const names = [...new Set(fields.split(',').map((name) => name.trim()))]
  const unknown = names.find((name) => !readers.has(name))
  if (unknown === undefined) return names
  const shown = JSON.stringify(unknown.slice(0, 40))
  const message = `"fields" names ${shown}, known fields are ${eventFieldNames.join(', ')}`
  throw new IncipitError('invalid_request', message, { param: 'fields' })
}

/** What caching saved; `undefined` where a cost is not known. */
export function savedBy({ cost, counterfactual }: LedgerEvent): PicoUsd | undefined {
  return cost === undefined || counterfactual === undefined ? undefined : picoUsd(counterfactual - cost)
}

function dollars(amount: PicoUsd | undefined): number | undefined {
  return amount === undefined ? undefined : usd(amount)
}

function usageView({ usage, storage }: LedgerEvent): EventFieldValue {
  return {
    fresh: usage.fresh ?? null,
    read: usage.read ?? null,
    write_5m: usage.write5m ?? null,
    write_30m: usage.write30m ?? null,
    write_1h: usage.write1h ?? null,
    write_12h: usage.write12h ?? null,
    output: usage.output ?? null,
    storage: storage ?? null,
  }
}

/** The provider's own object; text that is no JSON is shown as the text it is. */
function rawUsageView({ rawUsage }: LedgerEvent): EventFieldValue | undefined {
  if (rawUsage === undefined) return undefined
  try {
    return JSON.parse(rawUsage) as EventFieldValue // JSON text gives JSON values
  } catch {
    return rawUsage
  }
}
