/** What is shown for a value that nobody reported: never a 0. */
export const notReported = 'not reported'

/** What is shown for an amount of money that cannot be told, since usage or price is not known. */
export const notKnown = 'not known'

type Amount = number | null | undefined

const whole = new Intl.NumberFormat()
const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 2 })
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const
const lengths: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
]
const minus = '−'

/** @example countText(12345) // '12,345' */
export function countText(value: Amount): string {
  return typeof value === 'number' ? signed(value, whole.format(Math.abs(Math.round(value)))) : notReported
}

/** Large counts in few characters, for axes and tiles. @example shortCount(12_345_678) // '12.35M' */
export function shortCount(value: Amount): string {
  if (typeof value !== 'number') return notReported
  return Math.abs(value) < 100_000 ? countText(value) : signed(value, short.format(Math.abs(value)))
}

/** Counts as the axis of a chart names them. @example axisCount(20_000) // '20K' */
export function axisCount(value: number): string {
  return signed(value, short.format(Math.abs(value)))
}

/** Bytes in the unit that gives a readable number. @example byteText(10_701_288) // '10.2 MiB' */
export function byteText(value: Amount): string {
  if (typeof value !== 'number') return notReported
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, value)) / 10)))
  const size = value / 1_024 ** power
  return `${size >= 100 || power === 0 ? whole.format(Math.round(size)) : trimmed(size.toPrecision(3))} ${units[power]}`
}

/** How long something lasts, in one unit. @example lengthText(90_000) // '1.5 min' */
export function lengthText(ms: number): string {
  const [unit, length] = lengths.find(([, least]) => ms >= least) ?? ['s', 1_000]
  return `${trimmed((ms / length).toPrecision(ms / length >= 10 ? 2 : 1))} ${unit}`
}

/** How often something happens, in the unit that gives a readable number. @example rateText(0.01) // '36 an hour' */
export function rateText(perSecond: number): string {
  const digits = (value: number): string => String(Number(value.toPrecision(2)))
  if (perSecond >= 1) return `${digits(perSecond)} a second`
  return perSecond * 60 >= 1 ? `${digits(perSecond * 60)} a minute` : `${digits(perSecond * 3_600)} an hour`
}

/**
 * Dollars with as many digits as the amount needs: cents of whole dollars, three digits of a fraction.
 * @example dollarText(-0.00123) // '−$0.00123'
 */
export function dollarText(value: Amount): string {
  if (typeof value !== 'number') return notKnown
  const size = Math.abs(value)
  return signed(value, `$${size >= 1 || size === 0 ? grouped(size, 2) : fractionText(size)}`)
}

/** All digits there are: to a picodollar. @example exactDollars(0.1 + 0.2) // '$0.3' */
export function exactDollars(value: Amount): string {
  if (typeof value !== 'number') return notKnown
  return signed(value, `$${trimmed(Math.abs(value).toFixed(12))}`)
}

/**
 * A share that never rounds to all or nothing unless it is.
 * @example percentText(0.9999) // '99.9 %'
 */
export function percentText(share: Amount): string {
  if (typeof share !== 'number') return notReported
  const tenths = Math.round(Math.abs(share) * 1_000) / 10
  const honest = share !== 0 && tenths === 0 ? '< 0.1' : Math.abs(share) < 1 && tenths >= 100 ? '99.9' : String(tenths)
  return signed(share, `${honest} %`)
}

/** @example millisecondText(1234) // '1.23 s' */
export function millisecondText(value: Amount): string {
  if (typeof value !== 'number') return notReported
  if (value >= 100_000) return `${whole.format(Math.round(value / 1_000))} s`
  if (value >= 1_000) return `${(value / 1_000).toPrecision(3)} s`
  return `${value >= 10 ? Math.round(value) : trimmed(value.toFixed(1))} ms`
}

/** A part of a whole, or nothing to be said while the whole is empty or unknown. */
export function shareOf(part: Amount, all: Amount): number | undefined {
  return typeof part === 'number' && typeof all === 'number' && all > 0 ? part / all : undefined
}

function signed(value: number, text: string): string {
  return value < 0 ? `${minus}${text}` : text
}

function grouped(value: number, digits: number): string {
  return value.toLocaleString(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function fractionText(value: number): string {
  if (value < 1e-12) return '0.00'
  const digits = Math.min(12, Math.max(2, 2 - Math.floor(Math.log10(value))))
  const text = trimmed(value.toFixed(digits))
  return text.length < 4 ? value.toFixed(2) : text
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
