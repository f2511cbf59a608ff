import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { browserVariable, findBrowser } from './support/console/find-browser.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

test('a browser is what the variable names, else the first of the usual names in the search path, else none', () => {
  const [one, two] = [aFolder('google-chrome'), aFolder('chromium')]
  const PATH = [one, two].join(delimiter)
  expect(findBrowser({ PATH })).toBe(join(one, 'google-chrome'))
  expect(findBrowser({ PATH, [browserVariable]: '/somewhere/else' })).toBe('/somewhere/else')
  expect(findBrowser({ PATH: aFolder() })).toBeUndefined()
  expect(findBrowser({})).toBeUndefined()
})

function aFolder(...names: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'incipit-browser-'))
  folders.push(folder)
  for (const name of names) {
    writeFileSync(join(folder, name), '#!/bin/sh\n')
    chmodSync(join(folder, name), 0o755)
  }
  return folder
}
