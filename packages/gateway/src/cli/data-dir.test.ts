import { expect, test } from 'vitest'
import { reasonOf } from './data-dir.ts'

test('what the system calls by a code is told in words, anything else in its own', () => {
  const reason = (code: string): string => reasonOf(Object.assign(new Error('raw'), { code }))
  expect(reason('EACCES')).toBe('this user may not write there')
  expect(reason('EPERM')).toBe(reason('EACCES'))
  expect(reason('EROFS')).toBe('its file system is read-only')
  expect(reason('ENOSPC')).toBe('no space is left on its disk')
  expect(reason('EOTHER')).toBe('raw')
})
