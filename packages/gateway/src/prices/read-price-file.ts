import type { PriceRow } from '@incipit/core'
import { resolveRates } from '@incipit/core'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { readConfigDocument } from '../config/config-document.ts'
import type { ConfigDocument } from '../config/config-document.ts'
import { describeIssues, nameOf } from '../config/describe-issues.ts'
import type { ConfigPath } from '../config/schema.ts'
import { checkPriceFile, priceFileJsonSchema, toPriceRow } from './price-file-schema.ts'
import type { PriceFileRow } from './price-file-schema.ts'

/** Larger ones are some other file. */
const mostBytes = 8 * 2 ** 20

/** The rows of a price file, or what is wrong with it: one line per problem, each with its place. */
export type PriceFile =
  | { readonly kind: 'valid'; readonly rows: readonly PriceRow[] }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] }

/** @example await readPriceFile('/etc/incipit/prices.yaml') */
export async function readPriceFile(path: string): Promise<PriceFile> {
  const name = basename(path)
  try {
    const bytes = await readFile(path)
    if (bytes.length > mostBytes) {
      return { kind: 'invalid', problems: [`${name} has ${bytes.length} bytes, allowed: ${mostBytes}`] }
    }
    return parsePriceFile(bytes.toString('utf8'), name)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // fs rejects with these only
    const why = code === 'ENOENT' ? 'it does not exist' : code === 'EISDIR' ? 'it is a folder' : String(code)
    return { kind: 'invalid', problems: [`${name} cannot be read: ${why}`] }
  }
}

/** @example parsePriceFile('prices: [{ provider: openai, model: gpt-4o, input: 2 }]', 'prices.yaml') */
export function parsePriceFile(yaml: string, name: string): PriceFile {
  const document = readConfigDocument(yaml, {})
  const placed = document.problems.map(({ line, column, text }) => `${name}:${line}:${column}  ${text}`)
  if (placed.length > 0) return { kind: 'invalid', problems: placed }
  const place = placeIn(document, name)
  const checked = checkPriceFile(document.value)
  if (checked.kind === 'invalid') {
    const context = { value: document.value, place, hidden: () => false, schema: priceFileJsonSchema() }
    return { kind: 'invalid', problems: describeIssues(checked.issues, context) }
  }
  const prices = checked.rows
  const rows = prices.map((row, index) => toPriceRow(row, `${name}:${document.locate(['prices', index]).line}`))
  const problems = [...prices.flatMap(rowProblems), ...rows.flatMap(tierProblems), ...repeatedProblems(rows)]
  if (problems.length === 0) return { kind: 'valid', rows }
  return { kind: 'invalid', problems: problems.map(({ path, text }) => `${place(path)}  ${nameOf(path)}: ${text}`) }
}

interface Problem {
  readonly path: ConfigPath
  readonly text: string
}

function placeIn(document: ConfigDocument, name: string): (path: ConfigPath) => string {
  return (path) => {
    const { line, column } = document.locate(path)
    return `${name}:${line}:${column}`
  }
}

function rowProblems(row: PriceFileRow, index: number): Problem[] {
  const { provider, upstream, model, from, until, over, up_to: upTo } = row
  const checks: readonly (readonly [boolean, string, string])[] = [
    [
      (provider === undefined) === (upstream === undefined),
      'provider',
      'either a provider or an upstream has to be named, and not both',
    ],
    [model !== '*' && model.includes('*'), 'model', `"${model}": * stands alone, for all models`],
    [from !== undefined && until !== undefined && from > until, 'until', `${until} is before from, ${from}`],
    [over !== undefined && upTo !== undefined && over >= upTo, 'up_to', `${upTo} is not more than over, ${over}`],
  ]
  const wrong = checks.flatMap(([is, key, text]) => (is ? [{ path: ['prices', index, key], text }] : []))
  return [...wrong, ...hourProblems(row, index)]
}

function hourProblems({ hours = [] }: PriceFileRow, index: number): Problem[] {
  return hours.flatMap(({ from, until }, at) => {
    if (from < until) return []
    const text = `${until} is not later than from, ${from}; what goes over midnight is two stretches`
    return [{ path: ['prices', index, 'hours', at, 'until'], text }]
  })
}

/** A tier may make of an exact rate one that is not. */
function tierProblems(row: PriceRow, index: number): Problem[] {
  return Object.keys(row.tiers ?? {}).flatMap((tier) => {
    try {
      resolveRates(row, tier)
      return []
    } catch (error) {
      return [{ path: ['prices', index, 'tiers', tier], text: (error as Error).message }]
    }
  })
}

function repeatedProblems(rows: readonly PriceRow[]): Problem[] {
  const seen = new Map<string, number>()
  return rows.flatMap(({ provider, model, from, until, over, upTo, hours }, index) => {
    const key = JSON.stringify([provider, model, from, until, over, upTo, hours])
    const earlier = seen.get(key)
    seen.set(key, earlier ?? index)
    if (earlier === undefined) return []
    return [{ path: ['prices', index], text: `prices[${earlier}] has the same model, days, sizes and hours` }]
  })
}
