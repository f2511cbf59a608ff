import { sessionId } from '@incipit/core'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SnapshotBook } from './snapshot-book.ts'

const [old, young] = [sessionId('ses_old'), sessionId('ses_young')]

test('F-4 new_session leaves running sessions where they are and starts new ones afresh', () => {
  const book = new SnapshotBook()
  const before = book.snapshotOf('demo', old)
  book.publish('demo', 'new_session')
  expect(book.snapshotOf('demo', old)).toBe(before)
  expect(book.snapshotOf('demo', young)).not.toBe(before)
})

test('F-4 all moves every session, none moves nobody, other models stay', () => {
  const book = new SnapshotBook()
  const before = book.snapshotOf('demo', old)
  book.publish('demo', 'none')
  expect(book.snapshotOf('demo', old)).toBe(before)
  expect(book.snapshotOf('demo', young)).toBe(before)
  const other = book.snapshotOf('coder', old)
  book.publish('demo', 'all')
  expect(book.snapshotOf('demo', old)).not.toBe(before)
  expect(book.snapshotOf('coder', old)).toBe(other)
})

test('the sessions seen longest ago are forgotten first', () => {
  const book = new SnapshotBook(2)
  const before = book.snapshotOf('demo', old)
  book.snapshotOf('demo', young)
  book.publish('demo', 'new_session')
  book.snapshotOf('demo', old)
  book.snapshotOf('demo', sessionId('ses_third'))
  expect(book.snapshotOf('demo', old)).toBe(before)
  expect(book.snapshotOf('demo', young)).not.toBe(before)
})

test('F-4 P-8 what was published holds after a restart: nothing is read that is older', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'incipit-snapshots-')), 'snapshots.json')
  const book = await SnapshotBook.open(file)
  const before = book.snapshotOf('demo', old)
  book.publish('demo', 'new_session')
  await book.save()
  const again = await SnapshotBook.open(file)
  expect(again.snapshotOf('demo', old)).not.toBe(before)
  expect(again.snapshotOf('demo', old)).toBe(book.snapshotOf('demo', young))
  expect(again.publish('demo', 'none')).toBe(2)
  writeFileSync(file, '{"demo": 1}')
  await expect(SnapshotBook.open(file)).rejects.toThrow(`${file} is damaged`)
})
