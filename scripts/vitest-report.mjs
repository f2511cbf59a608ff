import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './build.mjs'

/**
 * Runs vitest with `args`, showing its own output, and returns every test with file, names and status.
 * A file that could not be loaded counts as one failed test.
 */
export function runVitest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'incipit-vitest-'))
  const report = join(folder, 'report.json')
  try {
    const cli = join(root, 'node_modules/vitest/vitest.mjs')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const { status } = spawnSync(process.execPath, [cli, 'run', ...reporters, ...args], {
      cwd: root,
      stdio: ['ignore', 1, 2],
    })
    return { status, tests: readTests(report) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readTests(report) {
  let files
  try {
    files = JSON.parse(readFileSync(report, 'utf8')).testResults
  } catch {
    return [] // vitest ended before it could report: its exit status tells
  }
  return files.flatMap((file) => {
    const tests = file.assertionResults.map(({ ancestorTitles, title, status }) => ({
      names: [...ancestorTitles, title],
      status,
    }))
    const unloadable = file.status === 'failed' && tests.every(({ status }) => status !== 'failed')
    return unloadable ? [...tests, { names: [file.name], status: 'failed' }] : tests
  })
}

/** How many of `tests` ended with `status`. */
export function count(tests, status) {
  return tests.filter((test) => test.status === status).length
}
