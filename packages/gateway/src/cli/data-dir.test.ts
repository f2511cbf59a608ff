import { expect, test } from 'vitest'
import { reasonOf, whyDataDirUnusable } from './data-dir.ts'

test('what the system calls by a code is told in words, anything else in its own', () => {
  const reason = (code: string): string => reasonOf(Object.assign(new Error('raw'), { code }))
  expect(reason('EACCES')).toBe('this user may not write there')
  expect(reason('EPERM')).toBe(reason('EACCES'))
  expect(reason('EROFS')).toBe('its file system is read-only')
  expect(reason('ENOSPC')).toBe('no space is left on its disk')
  expect(reason('EOTHER')).toBe('raw')
})

test.runIf(process.platform === 'linux')(
  'a place where no folder can be made is refused, and not tried for ever',
  async () => {
    expect(await whyDataDirUnusable('/proc/incipit/data')).toBe('no folder can be made there')
  },
)
