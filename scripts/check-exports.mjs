// Compares what the packages promise (exports, bin, schema) with the files that are there.
// Usage: npm run build && node scripts/check-exports.mjs
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './build.mjs'

const packages = ['packages/core', 'packages/engine', 'packages/gateway']

/** What is promised and missing, or compiled and without a source: one line each. */
export function findExportProblems() {
  return packages.flatMap((folder) => {
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const promised = [manifest.exports ?? {}, manifest.bin ?? {}].flatMap(leaves)
    const missing = promised.filter((path) => !existsSync(join(root, folder, path)))
    return [
      ...missing.map((path) => `${folder}: ${path} is promised by package.json and not there`),
      ...orphans(folder).map((path) => `${folder}: dist/${path} has no source any more: remove dist and build again`),
    ]
  })
}

function leaves(value) {
  return typeof value === 'string' ? [value] : Object.values(value).flatMap(leaves)
}

function orphans(folder) {
  const dist = join(root, folder, 'dist')
  if (!existsSync(dist)) return []
  return readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.js') && !path.startsWith('console'))
    .filter((path) => !existsSync(join(root, folder, 'src', path.replace(/\.js$/, '.ts'))))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const problems = findExportProblems()
  for (const problem of problems) console.error(problem)
  console.log(problems.length === 0 ? 'exports match the built files' : `${problems.length} problems`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
