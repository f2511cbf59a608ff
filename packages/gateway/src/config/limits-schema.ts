import { z } from 'zod'
import type { Limits } from '../limits/limits.ts'
import type { Scopes } from '../keys/scopes.ts'
import { mapping, text, whole } from './schema-parts.ts'

const most = 1_000_000_000

/** Of what is asked for once and stored, lists are bounded. */
const mostGlobs = 100

const usdAllowed = 'an amount in USD from 0 to 1000000000'
const usd = z.number(usdAllowed).min(0, usdAllowed).max(most, usdAllowed).optional()

/** Limits as configurations and requests write them. */
export const limitsSchema: z.ZodType<Limits> = mapping({
  rpm: whole(0, most).optional().describe('Requests a minute.'),
  tpm: whole(0, most).optional().describe('Tokens a minute, of prompts and answers.'),
  tpm_counts: z
    .enum(['all', 'uncached'], 'all or uncached')
    .default('all')
    .describe('uncached: tokens read from a prefix cache do not count towards tpm.'),
  parallel: whole(0, 1_000_000).optional().describe('Requests at the same time.'),
  usd_per_day: usd.describe('Budget of a day, in UTC.'),
  usd_per_month: usd.describe('Budget of a month, in UTC.'),
  usd_total: usd.describe('Budget for good.'),
  soft_usd_per_day: usd.describe('Beyond it requests of the day carry a warning.'),
  soft_usd_per_month: usd.describe('Beyond it requests of the month carry a warning.'),
  soft_usd_total: usd.describe('Beyond it requests carry a warning.'),
}).transform((limits) => ({
  rpm: limits.rpm,
  tpm: limits.tpm,
  tpmCounts: limits.tpm_counts,
  parallel: limits.parallel,
  usdPerDay: limits.usd_per_day,
  usdPerMonth: limits.usd_per_month,
  usdTotal: limits.usd_total,
  softUsdPerDay: limits.soft_usd_per_day,
  softUsdPerMonth: limits.soft_usd_per_month,
  softUsdTotal: limits.soft_usd_total,
}))

const names = (what: string): z.ZodOptional<z.ZodArray<z.ZodString>> => {
  const allowed = `a list of 1 to ${mostGlobs} ${what}`
  return z
    .array(text(`one of ${what}`, 256), allowed)
    .min(1, allowed)
    .max(mostGlobs, allowed)
    .optional()
}

/** Scopes as configurations and requests write them. */
export const scopesSchema: z.ZodType<Scopes> = mapping({
  models: names('globs of models').describe('Globs of model names; left out: all.'),
  upstreams: names('names of upstreams').describe('Names of upstreams, engine for local models; left out: all.'),
  endpoints: z
    .array(z.enum(['data', 'control'], 'data or control'), 'a list of data, control')
    .min(1, 'a list of data, control')
    .max(2, 'a list of data, control')
    .optional()
    .describe('data: prompts and models; control: records, prices, keys, settings. Left out: both.'),
})

const instantAllowed = 'a time such as 2027-01-31 or 2027-01-31T12:00:00Z'

/** An instant as ISO 8601 text, a date alone being midnight in UTC; in milliseconds since 1970. */
export const instant: z.ZodType<number, string> = z
  .string(instantAllowed)
  .regex(/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/, instantAllowed)
  .transform((written, context) => {
    const ms = Date.parse(written)
    // Dates that no calendar has, such as 30 February, are read as later ones.
    if (Number.isFinite(ms) && isDay(written.slice(0, 10))) return ms
    context.addIssue({ code: 'custom', message: instantAllowed })
    return z.NEVER
  })

function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`)
  return Number.isFinite(midnight.getTime()) && midnight.toISOString().startsWith(day)
}
