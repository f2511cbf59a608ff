import type { LedgerEvent } from './port.ts'
import type { SqlRow, SqlValue } from './driver.ts'
import type { PicoUsd, Usage } from '@incipit/core'
import { picoUsd } from '@incipit/core'

/** One column of `events`: its SQL type, and how an event fills it. */
interface EventColumn {
  readonly name: string
  readonly type: string
  readonly of: (event: LedgerEvent) => string | number | bigint | boolean | undefined
}

/** The columns of `events`, in order. NULL = not reported or not known. */
export const eventColumns: readonly EventColumn[] = [
  { name: 'id', type: 'TEXT NOT NULL UNIQUE', of: (event) => event.id },
  { name: 'kind', type: 'TEXT NOT NULL', of: (event) => event.kind },
  { name: 'parent_id', type: 'TEXT', of: (event) => event.parentId },
  { name: 'at', type: 'REAL NOT NULL', of: (event) => event.at },
  { name: 'org', type: 'TEXT NOT NULL', of: (event) => event.org },
  { name: 'key_name', type: 'TEXT', of: (event) => event.keyName },
  { name: 'session', type: 'TEXT', of: (event) => event.session },
  { name: 'scope_key', type: 'TEXT NOT NULL', of: (event) => event.scopeKey },
  { name: 'dialect', type: 'TEXT NOT NULL', of: (event) => event.dialect },
  { name: 'upstream', type: 'TEXT', of: (event) => event.upstream },
  { name: 'replica', type: 'TEXT', of: (event) => event.replica },
  { name: 'model', type: 'TEXT NOT NULL', of: (event) => event.model },
  { name: 'served_model', type: 'TEXT', of: (event) => event.servedModel },
  { name: 'stream', type: 'INTEGER NOT NULL', of: (event) => event.stream },
  { name: 'config_generation', type: 'INTEGER NOT NULL', of: (event) => event.configGeneration },
  { name: 'config_hash', type: 'TEXT NOT NULL', of: (event) => event.configHash },
  { name: 'wire_hash', type: 'TEXT', of: (event) => event.wireHash },
  { name: 'usage_fresh', type: 'INTEGER', of: (event) => event.usage.fresh },
  { name: 'usage_read', type: 'INTEGER', of: (event) => event.usage.read },
  { name: 'usage_write_5m', type: 'INTEGER', of: (event) => event.usage.write5m },
  { name: 'usage_write_30m', type: 'INTEGER', of: (event) => event.usage.write30m },
  { name: 'usage_write_1h', type: 'INTEGER', of: (event) => event.usage.write1h },
  { name: 'usage_write_12h', type: 'INTEGER', of: (event) => event.usage.write12h },
  { name: 'usage_output', type: 'INTEGER', of: (event) => event.usage.output },
  { name: 'raw_usage', type: 'TEXT', of: (event) => event.rawUsage },
  { name: 'input_tokens', type: 'INTEGER', of: (event) => event.inputTokens },
  { name: 'cached_input_tokens', type: 'INTEGER', of: (event) => event.cachedInputTokens },
  { name: 'evaluated_tokens', type: 'INTEGER', of: (event) => event.evaluatedTokens },
  { name: 'expected_tokens', type: 'INTEGER', of: (event) => event.expectedTokens },
  { name: 'prefix_cache', type: 'TEXT NOT NULL', of: (event) => event.prefixCache },
  { name: 'edits', type: 'TEXT NOT NULL', of: (event) => JSON.stringify(event.edits) },
  { name: 'warnings', type: 'TEXT NOT NULL', of: (event) => JSON.stringify(event.warnings) },
  { name: 'ttft_ms', type: 'REAL', of: (event) => event.ttftMs },
  { name: 'total_ms', type: 'REAL NOT NULL', of: (event) => event.totalMs },
  { name: 'status', type: 'INTEGER NOT NULL', of: (event) => event.status },
  { name: 'error_code', type: 'TEXT', of: (event) => event.errorCode },
  { name: 'answer_id', type: 'TEXT', of: (event) => event.answerId },
  { name: 'usage_storage', type: 'REAL', of: (event) => event.storage },
  { name: 'reported_input_tokens', type: 'INTEGER', of: (event) => event.reportedInputTokens },
  { name: 'provider', type: 'TEXT', of: (event) => event.provider },
  { name: 'service_tier', type: 'TEXT', of: (event) => event.serviceTier },
  { name: 'cost', type: 'INTEGER', of: (event) => event.cost },
  { name: 'cost_read', type: 'INTEGER', of: (event) => event.costRead },
  { name: 'cost_write', type: 'INTEGER', of: (event) => event.costWrite },
  { name: 'cost_output', type: 'INTEGER', of: (event) => event.costOutput },
  { name: 'counterfactual', type: 'INTEGER', of: (event) => event.counterfactual },
  { name: 'price_id', type: 'TEXT', of: (event) => event.priceId },
  { name: 'control', type: 'INTEGER', of: (event) => event.control },
  { name: 'reuse', type: 'TEXT', of: (event) => event.reuse },
  { name: 'verdict', type: 'TEXT', of: (event) => event.verdict },
  { name: 'cause', type: 'TEXT', of: (event) => event.cause },
  { name: 'request_headroom', type: 'REAL', of: (event) => event.requestHeadroom },
  { name: 'token_headroom', type: 'REAL', of: (event) => event.tokenHeadroom },
]

/**
 * The values of an event in the order of `eventColumns`. A NUL character, which SQLite's text cannot
 * hold, becomes U+FFFD. Money of one event beyond 2^53 pico-dollars (9,007 USD) is left out: no request costs that.
 */
export function toRow(event: LedgerEvent): SqlValue[] {
  return eventColumns.map((column) => {
    const value = column.of(event)
    if (value === undefined) return null
    if (typeof value === 'boolean') return value ? 1 : 0
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : null
    return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value
  })
}

/** The event of a row that `toRow` wrote: the types are those that went in, so the cast restores them. */
export function fromRow(row: SqlRow): LedgerEvent {
  const optional = (name: string): SqlValue | undefined => row[name] ?? undefined
  return {
    id: row['id'],
    kind: row['kind'],
    parentId: optional('parent_id'),
    at: row['at'],
    org: row['org'],
    keyName: optional('key_name'),
    session: optional('session'),
    scopeKey: row['scope_key'],
    dialect: row['dialect'],
    upstream: optional('upstream'),
    replica: optional('replica'),
    model: row['model'],
    servedModel: optional('served_model'),
    stream: row['stream'] === 1,
    configGeneration: row['config_generation'],
    configHash: row['config_hash'],
    wireHash: optional('wire_hash'),
    usage: usageOf(row),
    rawUsage: optional('raw_usage'),
    inputTokens: optional('input_tokens'),
    cachedInputTokens: optional('cached_input_tokens'),
    evaluatedTokens: optional('evaluated_tokens'),
    expectedTokens: optional('expected_tokens'),
    prefixCache: row['prefix_cache'],
    edits: JSON.parse(String(row['edits'])),
    warnings: JSON.parse(String(row['warnings'])),
    ttftMs: optional('ttft_ms'),
    totalMs: row['total_ms'],
    status: row['status'],
    errorCode: optional('error_code'),
    answerId: optional('answer_id'),
    storage: optional('usage_storage'),
    reportedInputTokens: optional('reported_input_tokens'),
    provider: optional('provider'),
    serviceTier: optional('service_tier'),
    cost: money(row, 'cost'),
    costRead: money(row, 'cost_read'),
    costWrite: money(row, 'cost_write'),
    costOutput: money(row, 'cost_output'),
    counterfactual: money(row, 'counterfactual'),
    priceId: optional('price_id'),
    control: row['control'] === 1,
    reuse: optional('reuse'),
    verdict: optional('verdict'),
    cause: optional('cause'),
    requestHeadroom: optional('request_headroom'),
    tokenHeadroom: optional('token_headroom'),
  } as LedgerEvent
}

function money(row: SqlRow, name: string): PicoUsd | undefined {
  const value = row[name]
  return typeof value === 'number' || typeof value === 'bigint' ? picoUsd(BigInt(value)) : undefined
}

function usageOf(row: SqlRow): Usage {
  const optional = (name: string): SqlValue | undefined => row[`usage_${name}`] ?? undefined
  return {
    fresh: optional('fresh'),
    read: optional('read'),
    write5m: optional('write_5m'),
    write30m: optional('write_30m'),
    write1h: optional('write_1h'),
    write12h: optional('write_12h'),
    output: optional('output'),
  } as Usage // written by `toRow` from a Usage
}
