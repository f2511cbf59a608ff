// Runs the tests that prove a requirement: those whose names begin with its id, alone or among others.
// Usage: npm run prove -- CF-6 [F-1 ...]
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './build.mjs'
import { count, runVitest } from './vitest-report.mjs'

const ids = process.argv.slice(2)
if (ids.length === 0 || ids.some((id) => !/^[A-Z]{1,2}-\d+$/.test(id))) {
  console.error('name one or more requirement ids: npm run prove -- CF-6')
  process.exit(2)
}

// Leading ids, then the one asked for. Vitest matches whole names, with those of the groups in front.
const named = `(?:[A-Z]{1,2}-\\d+[ ,:]+)*(?:${ids.join('|')})(?=[ ,:])`
const files = testFiles('packages').concat(testFiles('tests')).filter(mentions)
const proving = files.length === 0 ? [] : run()
const idle = ids.filter((id) => !proving.some(({ names }) => names.some((name) => beginsWith(id).test(name))))
for (const id of idle) console.error(`no test name begins with ${id}`)
console.log(`${count(proving, 'passed')} passed, ${count(proving, 'failed')} failed`)
process.exitCode ||= idle.length > 0 || count(proving, 'passed') !== proving.length ? 1 : 0

function run() {
  const { status, tests } = runVitest(['-t', `(?:^|\\s)${named}`, ...files])
  if (status !== 0) process.exitCode = 1
  return tests.filter(
    ({ names, status }) =>
      status !== 'skipped' && status !== 'pending' && names.some((name) => new RegExp(`^${named}`).test(name)),
  )
}

function beginsWith(id) {
  return new RegExp(`^(?:[A-Z]{1,2}-\\d+[ ,:]+)*${id}[ ,:]`)
}

function testFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules') && !path.includes('dist'))
    .map((path) => join(folder, path))
}

function mentions(file) {
  const text = readFileSync(join(root, file), 'utf8')
  return ids.some((id) => new RegExp(`\\b${id}\\b`).test(text))
}
