/**
 * Reads a table as RFC 4180 has it, and nothing else: every line ends in CRLF, a quote stands only where a field is
 * quoted, and all rows are of one length. An unquoted empty field is `null`.
 *
 * @throws Error naming the place that is not so
 * @example parseCsv('a,b\r\n1,"x"\r\n') // [{ a: '1', b: 'x' }]
 */
export function parseCsv(text: string): Record<string, string | null>[] {
  const rows: (string | null)[][] = []
  let row: (string | null)[] = []
  const fieldForm = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y
  while (fieldForm.lastIndex < text.length) {
    const at = fieldForm.lastIndex
    const found = fieldForm.exec(text)
    if (found === null) throw new Error(`no field at ${at}: ${JSON.stringify(text.slice(at, at + 40))}`)
    const [, quoted, plain, end] = found
    row.push(quoted?.replaceAll('""', '"') ?? (plain === '' ? null : (plain ?? null)))
    if (end === ',') continue
    rows.push(row)
    row = []
  }
  if (row.length > 0) throw new Error('the last line has no end')
  const [head = [], ...lines] = rows
  return lines.map((line, index) => {
    if (line.length !== head.length) throw new Error(`row ${index} has ${line.length} fields, the head ${head.length}`)
    return Object.fromEntries(head.map((name, column) => [String(name), line[column] ?? null]))
  })
}
