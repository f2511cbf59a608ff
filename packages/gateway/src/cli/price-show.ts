import { findPrices } from '../prices/find-prices.ts'
import type { PriceJson } from '../prices/price-json.ts'
import type { PriceDesk } from './price.ts'
import { textTable } from './text-table.ts'

/** What `incipit price show` takes beside its place and time. */
export interface ShowFlags {
  readonly model?: string | undefined
  readonly provider?: string
  readonly upstream?: string
  readonly json?: boolean
}

/**
 * `incipit price show`: rows of prices, those in force marked.
 * @example process.stdout.write(showPrices(desk, { model: 'gpt-4o' }))
 */
export function showPrices({ book, at }: PriceDesk, { model, provider, upstream, json }: ShowFlags): string {
  const prices = findPrices(book, { model, provider, upstream, at })
  const day = new Date(at).toISOString()
  if (json === true) return `${JSON.stringify({ object: 'list', at: day, data: prices }, null, 2)}\n`
  if (prices.length === 0)
    return `no price is known for ${[model, upstream ?? provider].filter(Boolean).join(' at ')}${namesLike(book, model)}\n`
  const rows = prices.map(cells)
  const legend = `USD per million tokens at ${day.slice(0, 16)}Z; * = in force, - = not known, = input = no price of its own\nV = read at the source, S = read where others quote it, U = not confirmed, ? = in part not confirmed\n`
  return `${textTable(columns, rows)}\n${legend}${notes(prices)}`
}

const mostNames = 8

/** Who asks for `sonnet` has a part of a name. */
function namesLike(book: PriceDesk['book'], model: string | undefined): string {
  const part = model?.toLowerCase().replaceAll('.', '-') ?? ''
  const names = [...new Set(book.rows.map(({ row }) => row.model))].filter((name) => part !== '' && name.includes(part))
  if (names.length === 0) return ''
  const more = names.length > mostNames ? `, and ${names.length - mostNames} more` : ''
  return `; it is a part of ${names.slice(0, mostNames).join(', ')}${more}`
}

const columns = [
  { head: ' ' },
  { head: 'provider' },
  { head: 'model' },
  { head: 'when' },
  { head: 'input', right: true },
  { head: 'read', right: true },
  { head: 'write' },
  { head: 'output', right: true },
  { head: 'storage/h', right: true },
  { head: 'list' },
  { head: 'as of' },
  { head: 'source' },
]

function cells(price: PriceJson): string[] {
  const { applies, provider, model, usd_per_mtok: rates, layer, as_of: asOf, certainty, source, unverified } = price
  const doubt = certainty === 'U' || unverified.length > 0 ? '?' : ''
  return [
    applies ? '*' : ' ',
    price.upstream ?? provider ?? '',
    model,
    when(price),
    amount(rates.input),
    rates.read !== null && rates.read === rates.input ? '= input' : amount(rates.read),
    writes(price),
    amount(rates.output),
    amount(rates.storage),
    layer,
    `${asOf} ${certainty}${doubt}`,
    source,
  ]
}

function when({
  from,
  until,
  prompt_tokens_over: over,
  prompt_tokens_up_to: upTo,
  utc_hours: hours,
}: PriceJson): string {
  const parts = [
    from === null ? '' : `from ${from}`,
    until === null ? '' : `to ${until}`,
    over === null ? '' : `> ${over} tokens`,
    upTo === null ? '' : `<= ${upTo} tokens`,
    hours
      ?.map(({ from, until, days }) => `${from}-${until}${days === undefined ? '' : ` on ${dayNames(days)}`}`)
      .join(' '),
  ]
  return parts.filter(Boolean).join(', ')
}

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

function dayNames(days: readonly number[]): string {
  const isWorkdays = days.length === 5 && days.every((day, index) => day === index + 1)
  return isWorkdays ? 'mon-fri' : days.map((day) => weekdays[day - 1]).join(' ')
}

function writes({ usd_per_mtok: rates }: PriceJson): string {
  const known = [
    ['5m', rates.write_5m],
    ['30m', rates.write_30m],
    ['1h', rates.write_1h],
    ['12h', rates.write_12h],
  ].filter((entry): entry is [string, number] => entry[1] !== null)
  if (known.length === 4 && known.every(([, rate]) => rate === rates.input)) return '= input'
  return known.length === 0 ? '-' : known.map(([ttl, rate]) => `${ttl} ${amount(rate)}`).join(' ')
}

function amount(rate: number | null): string {
  return rate === null ? '-' : String(rate)
}

function notes(prices: readonly PriceJson[]): string {
  const lines = prices.flatMap(({ id, note, unverified, tiers, neurons_per_mtok: neurons }) => [
    ...(note === null ? [] : [`${id}: ${note}`]),
    ...(unverified.length === 0 ? [] : [`${id}: nobody has confirmed ${unverified.join(', ')}`]),
    ...(Object.keys(tiers).length === 0 || prices.length > 20
      ? []
      : [
          `${id}: ${Object.entries(tiers)
            .map(([name, factor]) => `${name} x${factor}`)
            .join(', ')}`,
        ]),
    ...(neurons === null || prices.length > 20
      ? []
      : [`${id}: ${neurons.input ?? '-'} neurons in, ${neurons.output ?? '-'} out, per million tokens`]),
  ])
  return lines.length === 0 ? '' : `\n${[...new Set(lines)].join('\n')}\n`
}
