/** A value of a table; `null` = not known. */
export type CsvValue = string | number | boolean | null

/** What spreadsheets take for the beginning of a formula, and what would read as one that was made harmless. */
const formulaStart = /^'*[=+\-@\t\r\n]/
const needsQuotes = /[",\r\n]/

/**
 * One line of a table as RFC 4180 has it. What is not known is an empty field, an empty text is `""`. A text that a
 * spreadsheet would run as a formula gets a `'` before it; numbers are left as they are.
 *
 * @example csvLine(['a "b"', -0.5, null]) // '"a ""b""",-0.5,\r\n'
 */
export function csvLine(values: readonly CsvValue[]): string {
  return `${values.map(field).join(',')}\r\n`
}

function field(value: CsvValue): string {
  if (value === null) return ''
  if (typeof value === 'number') return decimal(value)
  if (typeof value === 'boolean') return String(value)
  const text = formulaStart.test(value) ? `'${value}` : value
  return text === '' || needsQuotes.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Without an exponent: not every reader of tables knows `1e-7`. Amounts have twelve decimals at most. */
function decimal(value: number): string {
  const text = String(value)
  return text.includes('e-') ? value.toFixed(12).replace(/\.?0+$/, '') : text
}
