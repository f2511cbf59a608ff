import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { findExportProblems } from '../scripts/check-exports.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

test('every file a package promises is built, and nothing compiled is left without a source', () => {
  expect(findExportProblems()).toEqual([])
})

test.each([
  ['packages/core', ['dist/index.js', 'dist/index.d.ts']],
  ['packages/engine', ['dist/index.js', 'dist/index.d.ts']],
  [
    'packages/gateway',
    [
      'dist/index.js',
      'dist/cli/main.js',
      'dist/emulate/index.js',
      'dist/emulate/index.d.ts',
      'dist/workers-ai/index.js',
      'dist/workers-ai/index.d.ts',
      'dist/console/index.html',
      'dist/console/console/licenses.md',
      'schema/incipit.schema.json',
      'schema/prices.schema.json',
    ],
  ],
])('the tarball of %s holds what it promises, and no tests, sources or build state', (folder, expected) => {
  const printed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: `${root}${folder}`,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [packed] = JSON.parse(printed) as { files: { path: string }[] }[]
  const paths = packed?.files.map(({ path }) => path) ?? []
  expect(paths).toEqual(expect.arrayContaining([...expected, 'package.json']))
  expect(paths.filter((path) => /\.test\.|\.bench\.|^src\/|\/testing\/|tsbuildinfo|-stamp$/.test(path))).toEqual([])
})
