/**
 * A Markdown table, aligned for terminals: text left, numbers right.
 * @example console.log(table(['session', 'tokens'], [['a', 12]]))
 */
export function table(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)))
  const widths = headings.map((heading, column) =>
    Math.max(3, heading.length, ...cells.map((row) => row[column]?.length ?? 0)),
  )
  const isNumber = headings.map((_, column) => rows.some((row) => typeof row[column] === 'number'))
  const padded = (cell: string, column: number): string =>
    isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)
  const line = (row: readonly string[]): string => `| ${row.map(padded).join(' | ')} |`
  return [line(headings), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n')
}
