import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkWritable } from './check-writable.ts'

test('what cannot be written is refused with the file and the reason, and nothing is left behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'incipit-writable-'))
  try {
    await writeFile(join(folder, 'old.svg'), 'old')
    await checkWritable(join(folder, 'old.svg'))
    await checkWritable(join(folder, 'new.svg'))
    const missing = join(folder, 'nope', 'x.svg')
    await expect(checkWritable(missing)).rejects.toThrow(`${missing} cannot be written: ENOENT`)
    await expect(checkWritable(join(folder, 'old.svg', 'x.svg'))).rejects.toThrow('cannot be written: ENOTDIR')
    await expect(checkWritable(folder)).rejects.toThrow(`${folder} cannot be written: it is a folder`)
    expect(await readdir(folder)).toEqual(['old.svg'])
  } finally {
    await rm(folder, { recursive: true })
  }
})
