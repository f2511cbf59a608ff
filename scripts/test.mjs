// Types, lint, format, tests. The last line is "N passed, N failed"; a failed check counts as one failed.
// Usage: npm test [-- further vitest arguments]
import { spawnSync } from 'node:child_process'
import { build, root } from './build.mjs'
import { count, runVitest } from './vitest-report.mjs'

const checks = {
  build,
  'types of the tests': () => tool('typescript/bin/tsc', '-p', 'tsconfig.test.json'),
  lint: () => tool('oxlint/bin/oxlint', '--type-aware'),
  format: () => tool('oxfmt/bin/oxfmt', '--check', '.'),
}

let failedChecks = 0
for (const [name, run] of Object.entries(checks)) {
  const begun = performance.now()
  const passed = run()
  console.log(`${name}: ${passed ? 'ok' : 'failed'} (${((performance.now() - begun) / 1000).toFixed(1)} s)`)
  if (!passed) failedChecks += 1
}

const { status, tests } = runVitest(process.argv.slice(2))
const skipped = tests.length - count(tests, 'passed') - count(tests, 'failed')
if (skipped > 0) console.log(`${skipped} skipped`)
const unreported = status !== 0 && count(tests, 'failed') === 0 ? 1 : 0
const failed = count(tests, 'failed') + failedChecks + unreported
console.log(`${count(tests, 'passed')} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

function tool(path, ...args) {
  return (
    spawnSync(process.execPath, [`node_modules/${path}`, ...args], { cwd: root, stdio: ['ignore', 1, 2] }).status === 0
  )
}
