import pc from 'picocolors'

/** What pino writes a line of JSON to. */
export interface LogStream {
  write(line: string): void
}

/**
 * A stream for pino that turns its JSON into lines for people.
 * @example pino({ base: null }, terminalLog((text) => process.stderr.write(text), false))
 */
export function terminalLog(write: (text: string) => void, colours: boolean): LogStream {
  const { cyan, dim, red, yellow } = pc.createColors(colours)
  const paint = (level: number): ((text: string) => string) =>
    level >= 50 ? red : level >= 40 ? yellow : level >= 30 ? cyan : dim

  return {
    write: (line) => {
      const { level, time: _, msg, err, ...fields } = JSON.parse(line) as LogRecord
      const label = paint(level)((levels[level] ?? String(level)).padEnd(5))
      const rest = Object.entries(fields).map(([name, value]) => dim(`${name}=${shown(value)}`))
      const failure = err === undefined ? [] : [`(${err.message})`]
      write(`${[label, msg ?? '', ...failure, ...rest].join(' ')}\n${framesOf(err)}`)
    },
  }
}

/** One line of pino. */
interface LogRecord {
  readonly level: number
  readonly time: number
  readonly msg?: string
  readonly err?: { readonly message: string; readonly stack?: string }
  readonly [field: string]: unknown
}

const levels: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

function shown(value: unknown): string {
  return typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value)
}

/** Where an error arose: without it nobody could mend what a line of the log reports. */
function framesOf(err: LogRecord['err']): string {
  const frames = (err?.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
  return frames.map((frame) => `${frame}\n`).join('')
}
