import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { openDatabase } from './driver.ts'
import { openSqliteLedger } from './sqlite-ledger.ts'
import { anEvent } from './testing/an-event.ts'

const child = fileURLToPath(new URL('./testing/recording-child.mjs', import.meta.url))

/** Runs a recording process, kills it after it has reported `after` rows, and returns what it reported. */
async function recordUntilKilled(file: string, name: string, after: number): Promise<string[]> {
  const template = JSON.stringify(anEvent(''))
  const recording = spawn(process.execPath, [child, file, name, template], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(recording, 'exit')
  let output = ''
  recording.stdout.setEncoding('utf8')
  for await (const text of recording.stdout) {
    output += String(text)
    if (output.split('\n').length > after) recording.kill('SIGKILL')
  }
  expect(await exited).toEqual([null, 'SIGKILL'])
  // What follows the last line end is at most a part of a line: the process was killed within the write.
  return output.split('\n').slice(0, -1)
}

test('twenty processes killed at random moments lose no row they had reported as recorded', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'incipit-kill-'))
  try {
    const file = join(folder, 'ledger.db')
    const moments = fc.sample(fc.integer({ min: 1, max: 300 }), 20)
    const reported: string[] = []
    for (let round = 0; round < moments.length; round += 2) {
      const pair = moments.slice(round, round + 2)
      // Two at a time, over one file: the second goes on when the first is dead.
      const runs = pair.map((after, index) => recordUntilKilled(file, `p${round + index}`, after))
      // oxlint-disable-next-line no-await-in-loop -- pair after pair
      reported.push(...(await Promise.all(runs)).flat())
    }
    expect(reported.length, `moments ${moments.join(' ')}`).toBeGreaterThanOrEqual(moments.reduce((a, b) => a + b, 0))
    const ledger = await openSqliteLedger({ file })
    await ledger.close()
    expect(readdirSync(folder)).toEqual(['ledger.db'])
    const database = await openDatabase({ file, busyMs: 1_000 })
    expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
    const stored = new Set(
      database
        .prepare('SELECT id FROM events')
        .all()
        .map((row) => row['id']),
    )
    expect(
      reported.filter((id) => !stored.has(id)),
      `moments ${moments.join(' ')}`,
    ).toEqual([])
    expect(database.prepare('SELECT * FROM journals').all()).toEqual([])
    database.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
})
