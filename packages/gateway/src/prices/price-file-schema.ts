import { createHash } from 'node:crypto'
import type { DecimalText, PriceRow, UtcHours, WriteTtl } from '@incipit/core'
import { picoPerToken, plainModelName } from '@incipit/core'
import { z } from 'zod'
import { mapping, text, whole } from '../config/schema-parts.ts'
import type { ConfigIssue, JsonSchema } from '../config/schema.ts'
import { toIssue } from '../config/schema.ts'
import { given } from './given.ts'
import { upstreamKey } from './upstream-key.ts'

/** Rows of a file; a price list of thousands of models has a few thousand. */
const mostRows = 20_000

const rateAllowed = 'USD per million tokens with at most six decimals, such as 0.075'

const rate = z
  .union([z.number(rateAllowed), z.string(rateAllowed)], rateAllowed)
  .refine((value) => isExactRate(String(value)), rateAllowed)
  .transform((value): DecimalText => String(value))

const plain = z.literal('plain')
const rateOrPlain = z.union([plain, rate], `plain, or ${rateAllowed}`)

const factorAllowed = 'a number to multiply with, such as 0.5'
const factor = z
  .union([z.number(factorAllowed), z.string(factorAllowed)], factorAllowed)
  .refine((value) => /^\d{1,6}(?:\.\d{1,6})?$/.test(String(value)), factorAllowed)
  .transform((value): DecimalText => String(value))

const dayAllowed = 'a day as YYYY-MM-DD'
const day = z.string(dayAllowed).refine(isDay, dayAllowed)

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const timeAllowed = 'a time of day in UTC as "HH:MM"'
const time = (pattern: RegExp): z.ZodString => z.string(timeAllowed).regex(pattern, timeAllowed)

const hours = mapping({
  from: time(/^(?:[01]\d|2[0-3]):[0-5]\d$/),
  until: time(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/),
  days: z.array(z.enum(weekdays, weekdays.join(', ')), 'a list of days').optional(),
})

const providerAllowed = 'the name of a provider'

const tiersAllowed = 'names of service tiers, in small letters, each with a number to multiply with, such as 0.5'

const row = mapping({
  provider: text(providerAllowed, 100)
    .regex(/^[^:\s]+$/, providerAllowed)
    .optional()
    .describe('Whose price it is, such as anthropic.'),
  upstream: text('the name of an upstream', 100).optional().describe('Or the upstream, by its name in incipit.yaml.'),
  model: text('the name of a model, or * for all without a row of their own', 200).describe(
    'With dots or dashes, with or without a date; * = every model without a row of its own.',
  ),
  from: day.optional().describe('First day in force, in UTC.'),
  until: day.optional().describe('Last day in force, in UTC.'),
  over: whole(0, 1_000_000_000, ' of tokens')
    .optional()
    .describe('Prompts of more tokens only; it is the whole request that costs so.'),
  up_to: whole(0, 1_000_000_000, ' of tokens').optional().describe('Prompts of at most so many tokens only.'),
  hours: z
    .array(hours, 'a list of hours')
    .min(1, 'at least one stretch of hours')
    .max(50, 'at most 50 stretches of hours')
    .optional()
    .describe('In these hours of UTC only.'),
  input: rate.optional().describe('USD per million tokens of plain input.'),
  read: rateOrPlain.optional().describe('The same for tokens read from a cache; plain = as input.'),
  write: z
    .union(
      [
        plain,
        mapping({ '5m': rate.optional(), '30m': rate.optional(), '1h': rate.optional(), '12h': rate.optional() }),
      ],
      'plain, or prices for 5m, 30m, 1h and 12h',
    )
    .optional()
    .describe('The same for tokens written to a cache, by its life; plain = as input.'),
  output: rate.optional().describe('The same for tokens of the answer.'),
  storage: rate.optional().describe('USD per million tokens and hour that a cache is kept.'),
  tiers: z
    .record(text(tiersAllowed, 50).regex(/^[a-z0-9_-]+$/, tiersAllowed), factor, tiersAllowed)
    .optional()
    .describe('What other service tiers multiply every rate with.'),
  source: text('where the price was read', 500).optional().describe('Where it is from; left out: file and line.'),
  as_of: day.optional().describe('Day it was seen.'),
  note: text('a note', 500).optional().describe('Anything worth knowing.'),
})

const priceFile = mapping({
  prices: z
    .array(row, 'a list of prices')
    .max(mostRows, `a list of at most ${mostRows} prices`)
    .describe('Rows; they go before the prices that Incipit knows.'),
})

/** A row as the file has it, checked. */
export interface PriceFileRow {
  readonly provider?: string | undefined
  readonly upstream?: string | undefined
  readonly model: string
  readonly from?: string | undefined
  readonly until?: string | undefined
  readonly over?: number | undefined
  readonly up_to?: number | undefined
  readonly hours?: readonly FileHours[] | undefined
  readonly input?: DecimalText | undefined
  readonly read?: DecimalText | undefined
  readonly write?: 'plain' | Readonly<Partial<Record<WriteTtl, DecimalText | undefined>>> | undefined
  readonly output?: DecimalText | undefined
  readonly storage?: DecimalText | undefined
  readonly tiers?: Readonly<Record<string, DecimalText>> | undefined
  readonly note?: string | undefined
  readonly source?: string | undefined
  readonly as_of?: string | undefined
}

interface FileHours {
  readonly from: string
  readonly until: string
  readonly days?: readonly (typeof weekdays)[number][] | undefined
}

/**
 * Checks the parsed YAML of a price file.
 * @example checkPriceFile({ prices: [{ provider: 'openai', model: 'gpt-4o', input: 2 }] })
 */
export function checkPriceFile(
  value: unknown,
):
  | { readonly kind: 'valid'; readonly rows: readonly PriceFileRow[] }
  | { readonly kind: 'invalid'; readonly issues: readonly ConfigIssue[] } {
  const parsed = priceFile.safeParse(value)
  return parsed.success
    ? { kind: 'valid', rows: parsed.data.prices }
    : { kind: 'invalid', issues: parsed.error.issues.map(toIssue) }
}

/** The schema as JSON, for the names of its keys. */
export function priceFileJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(priceFile, { io: 'input', target: 'draft-7' })
  return { ...schema, title: 'prices of incipit.yaml' } as JsonSchema // zod's type has no index signature
}

/**
 * The row as the price book takes it; `place` stands for a source that is not given.
 * @example toPriceRow(row, 'prices.yaml:3')
 */
export function toPriceRow(file: PriceFileRow, place: string): PriceRow {
  const { provider, upstream, model, up_to: upTo, hours, write, source, as_of: asOf, ...rest } = file
  return {
    ...given({ ...rest, upTo, hours: hours?.map(toUtcHours), write: typeof write === 'object' ? given(write) : write }),
    provider: upstream === undefined ? (provider ?? '') : upstreamKey(upstream),
    model: model === '*' ? model : plainModelName(model),
    source: source ?? place,
    asOf: asOf ?? file.from ?? 'undated',
    revision: revisionOf(file),
    // What the operator pays, the operator knows.
    certainty: 'V',
  }
}

/** Eight digits that change with anything in the row: numbers that are changed in place are another price. */
function revisionOf(file: PriceFileRow): string {
  return createHash('sha256').update(JSON.stringify(file)).digest('hex').slice(0, 8)
}

function toUtcHours({ from, until, days }: FileHours): UtcHours {
  return { from, until, ...(days === undefined ? {} : { days: days.map((name) => weekdays.indexOf(name) + 1) }) }
}

function isExactRate(value: string): boolean {
  try {
    return picoPerToken(value) >= 0n
  } catch {
    return false
  }
}

function isDay(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false
  const date = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value)
}
