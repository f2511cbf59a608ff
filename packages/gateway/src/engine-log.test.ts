import type { EngineModelInfo } from '@incipit/engine'
import pino from 'pino'
import { expect, test } from 'vitest'
import { noteModels, noteTurn } from './engine-log.ts'

/** Only these facts are looked at. */
function aModel(name: string, diskOff: string | undefined): EngineModelInfo {
  return { name, fileHash: name, template: { warnings: [] }, diskOff } as unknown as EngineModelInfo
}

function lines(write: (log: pino.Logger) => void): unknown[] {
  const written: string[] = []
  write(pino({ base: null, timestamp: false }, { write: (line: string) => void written.push(line) }))
  return written.map((line) => JSON.parse(line) as unknown)
}

const models = [aModel('kept', undefined), aModel('lost', '/data/kv/0a is in use by another process')]
const lost = {
  level: 40,
  model: 'lost',
  reason: '/data/kv/0a is in use by another process',
  msg: 'the disk tier of a model is off',
}

test('a model without the disk tier that was asked for is named at the start, and after a restart', () => {
  expect(lines((log) => noteModels(models, { diskBytes: 1 }, log))).toEqual([lost])
  expect(lines((log) => noteModels(models, { diskBytes: 0 }, log))).toEqual([])
  expect(lines((log) => noteTurn({ kind: 'back', restarts: 2, models }, { diskBytes: 1 }, log))).toEqual([
    { level: 30, restarts: 2, msg: 'the engine process is back' },
    lost,
  ])
})

test('an engine that ended is told with how it ended, what was under way and when it is started again', () => {
  const reason = 'the engine process ended (SIGSEGV)'
  const ended = { kind: 'ended', reason, signal: 'SIGSEGV', exitCode: undefined, requestsInFlight: 3 } as const
  expect(lines((log) => noteTurn({ ...ended, restartMs: 50 }, { diskBytes: 1 }, log))).toEqual([
    {
      level: 40,
      reason,
      signal: 'SIGSEGV',
      requests_in_flight: 3,
      restart_in_ms: 50,
      msg: 'the engine process ended: it is started again',
    },
  ])
})
