import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SqlDatabase, SqlDriverName, SqlValue } from './driver.ts'
import { openDatabase, sqlDrivers } from './driver.ts'
import { SqlError } from './sql-error.ts'

let folder = ''
const opened: SqlDatabase[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'incipit-driver-'))
})

afterEach(() => {
  for (const database of opened.splice(0)) database.close()
  rmSync(folder, { recursive: true })
})

async function open(driver: SqlDriverName, busyMs = 50): Promise<SqlDatabase> {
  const database = await openDatabase({ file: join(folder, 'a.db'), busyMs, driver })
  opened.push(database)
  return database
}

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return error instanceof SqlError ? error.code : String(error)
  }
  return 'no error'
}

describe.each(sqlDrivers())('driver %s', (driver) => {
  test('every kind of value comes back as it went in', async () => {
    const database = await open(driver)
    database.exec('CREATE TABLE t (a INTEGER, b TEXT, c BLOB, d REAL) STRICT')
    const rows: SqlValue[][] = [
      [1, 'x', new Uint8Array([0, 255]), 0.1],
      [Number.MAX_SAFE_INTEGER, 'é😀', new Uint8Array(0), -1.5e300],
      [-(2 ** 40), '', new Uint8Array([1, 2, 3]).subarray(1), 1_700_000_000_000.25],
      [null, null, null, null],
    ]
    const insert = database.prepare('INSERT INTO t VALUES (?, ?, ?, ?)')
    for (const row of rows) expect(insert.run(row)).toBe(1)
    expect(
      database
        .prepare('SELECT * FROM t ORDER BY rowid')
        .all()
        .map((row) => Object.values(row)),
    ).toEqual(rows)
    expect(database.prepare('SELECT b FROM t WHERE a = ?').all([1n])).toEqual([{ b: 'x' }])
    expect(database.prepare('SELECT a FROM t WHERE c = ?').all([Buffer.from([0, 255])])).toEqual([{ a: 1 }])
    expect(database.prepare('SELECT b FROM t WHERE a = ?').get([2])).toBeUndefined()
    expect(database.prepare('SELECT b FROM t WHERE a = ? LIMIT 1').get([1])).toEqual({ b: 'x' })
  })

  test('a value that would abort the process or be stored as another is refused', async () => {
    const database = await open(driver)
    const statement = database.prepare('SELECT ? AS x')
    const wrong = [undefined, true, {}, Number.NaN, Infinity, 2n ** 53n, 'a\0b'] as unknown as SqlValue[]
    for (const value of wrong) expect(() => statement.all([value]), String(value)).toThrow(/parameter 1/)
    expect(statement.all(['still works'])).toEqual([{ x: 'still works' }])
  })

  test('a transaction is whole or absent', async () => {
    const database = await open(driver)
    database.exec('CREATE TABLE t (a INTEGER UNIQUE) STRICT')
    const insert = database.prepare('INSERT INTO t VALUES (?)')
    expect(database.transaction(() => insert.run([1]))).toBe(1)
    const failing = (): unknown => database.transaction(() => [insert.run([2]), insert.run([1])])
    expect(codeOf(failing)).toBe('constraint')
    expect(database.prepare('SELECT a FROM t').all()).toEqual([{ a: 1 }])
    expect(database.transaction(() => insert.run([2]))).toBe(1)
  })

  test('errors have the same codes with every driver', async () => {
    const database = await open(driver)
    const other = await open(driver)
    database.exec('CREATE TABLE t (a INTEGER) STRICT')
    expect(codeOf(() => database.prepare('INSERT INTO t VALUES (?)').run(['text']))).toBe('constraint')
    expect(codeOf(() => database.prepare('SELEC'))).toBe('other')
    other.exec('BEGIN IMMEDIATE')
    expect(codeOf(() => database.transaction(() => 1))).toBe('busy')
    other.exec('ROLLBACK')
    expect(database.transaction(() => 1)).toBe(1)
    const missing = openDatabase({ file: join(folder, 'no', 'a.db'), busyMs: 1, driver })
    await expect(missing).rejects.toMatchObject({ code: 'cannot_open' })
  })

  test('a closed database refuses every call', async () => {
    const database = await open(driver)
    const statement = database.prepare('SELECT 1 AS one')
    database.close()
    database.close()
    expect(() => statement.all()).toThrow('closed')
    expect(() => database.exec('SELECT 1')).toThrow('closed')
  })
})
