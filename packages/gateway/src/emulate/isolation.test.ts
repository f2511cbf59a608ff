import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('.', import.meta.url))

test('emulators share no code with the core or the rest of the gateway: each checks the other', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(?<!\.test)\.ts$/.test(path),
  )
  expect(files.length).toBeGreaterThan(50)
  const foreign = files.flatMap((path) => {
    const imports = [
      ...readFileSync(join(folder, path), 'utf8').matchAll(/^(import|export) (type )?[^;]*? from '([^']+)'/gm),
    ]
    return imports
      .filter(
        ([, , type, from = '']) =>
          type === undefined && !from.startsWith('node:') && from !== 'zod' && from !== 'vitest',
      )
      .filter(([, , , from = '']) => !join(folder, path, '..', from).startsWith(folder))
      .map(([, , , from]) => `${path}: ${from}`)
  })
  expect(foreign).toEqual([])
})
