import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase, sqlDrivers } from './driver.ts'
import { openLedgerFile } from './ledger-file.ts'
import { sqliteConnection } from './sqlite-connection.ts'

test.each(sqlDrivers())('with %s, what met a lock hinders nothing after it', async (driver) => {
  const folder = mkdtempSync(join(tmpdir(), 'incipit-connection-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'a.db')
  const connection = sqliteConnection(
    await openLedgerFile({ file, busyMs: 20, maxBytes: undefined, role: 'writer', opening: 'test', driver }),
  )
  const other = await openDatabase({ file, busyMs: 20, driver })
  onTestFinished(async () => {
    other.close()
    await connection.close()
  })
  const note = (): Promise<unknown> =>
    connection.transaction(() => connection.run(`INSERT INTO ledger_state VALUES (?, ?)`, [`n${++noted}`, 1]))
  let noted = 0
  other.exec('BEGIN IMMEDIATE')
  await expect(connection.run('CREATE INDEX i ON events (status)', [])).rejects.toMatchObject({ code: 'busy' })
  await expect(connection.run('DELETE FROM ledger_state', [])).rejects.toMatchObject({ code: 'busy' })
  await expect(note()).rejects.toMatchObject({ code: 'busy' })
  other.exec('ROLLBACK')
  await note()
  await connection.run('CREATE INDEX i ON events (status)', [])
  await note()
  expect(await connection.all("SELECT name FROM ledger_state WHERE name LIKE 'n%' ORDER BY name", [])).toEqual([
    { name: 'n1' },
    { name: 'n2' },
  ])
})
