/** One column: its head, and whether its cells are numbers that end on the right. */
export interface Column {
  readonly head: string
  readonly right?: boolean
}

/**
 * Columns of equal width, two spaces apart; no lines, so that it can be cut and piped.
 * @example textTable([{ head: 'model' }, { head: 'input', right: true }], [['gpt-4o', '2.5']])
 */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const all = [columns.map(({ head }) => head), ...rows]
  const widths = columns.map((_, index) => Math.max(...all.map((row) => (row[index] ?? '').length)))
  const lines = all.map((row) =>
    columns
      .map(({ right }, index) => {
        const cell = row[index] ?? ''
        const width = widths[index] ?? 0
        return right === true ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

/** A bar of eighths of a character, as long as the part is of the whole. */
export function textBar(part: number, whole: number, width: number): string {
  const eighths = whole <= 0 ? 0 : Math.round((Math.min(part, whole) / whole) * width * 8)
  return '█'.repeat(Math.floor(eighths / 8)) + (eighths % 8 === 0 ? '' : (partial[(eighths % 8) - 1] ?? ''))
}

const partial = ['▏', '▎', '▍', '▌', '▋', '▊', '▉']
