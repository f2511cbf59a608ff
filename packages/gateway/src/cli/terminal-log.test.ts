import pino from 'pino'
import { expect, test } from 'vitest'
import { terminalLog } from './terminal-log.ts'

function logged(write: (log: pino.Logger) => void, colours = false): string {
  let text = ''
  write(
    pino(
      { base: null, level: 'trace' },
      terminalLog((line) => void (text += line), colours),
    ),
  )
  return text
}

test('on a terminal a line says its level and message, then its fields', () => {
  expect(logged((log) => log.warn('Node 20 is out of support'))).toBe('warn  Node 20 is out of support\n')
  expect(logged((log) => log.info({ signal: 'SIGTERM', seconds: 60 }, 'closing'))).toBe(
    'info  closing signal=SIGTERM seconds=60\n',
  )
  expect(logged((log) => log.warn({ reason: 'no prebuilt "x"' }, 'off'))).toBe(
    'warn  off reason="no prebuilt \\"x\\""\n',
  )
})

test('an error brings its message and where it arose', () => {
  const text = logged((log) => log.error({ err: new Error('boom') }, 'closing failed'))
  expect(text).toMatch(/^error closing failed \(boom\)\n {4}at .*terminal-log\.test\.ts/)
})

test('colours only where asked for', () => {
  const escape = String.fromCodePoint(27)
  expect(logged((log) => log.warn('x'))).not.toContain(escape)
  expect(logged((log) => log.warn('x'), true)).toContain(escape)
})
