// Compiles the packages and bundles the console beside the gateway, each when it is stale. Usage: npm run build
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

const stamp = join(root, 'packages/gateway/dist/.build-stamp')
const consoleStamp = join(root, 'packages/gateway/dist/.console-stamp')
const consolePage = join(root, 'packages/gateway/dist/console/index.html')

/** True where the compiled files are those of the sources as they are now. */
export function isFresh() {
  return isStamped(stamp, codeState()) && isConsoleFresh()
}

/** Brings the compiled files up to date; false when a compiler refuses. */
export function build() {
  return buildCode() && (isConsoleFresh() || buildConsole())
}

function buildCode() {
  const state = codeState()
  if (!run('typescript/bin/tsc', '-b')) return false
  write(stamp, state)
  return true
}

function buildConsole() {
  const state = consoleState()
  if (!run('vite/bin/vite.js', 'build', 'packages/console', '--logLevel', 'warn')) return false
  write(consoleStamp, state)
  return true
}

function isConsoleFresh() {
  return existsSync(consolePage) && isStamped(consoleStamp, consoleState())
}

function isStamped(file, state) {
  return existsSync(file) && readFileSync(file, 'utf8') === state
}

function write(file, state) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, state)
}

function run(tool, ...args) {
  const file = join(root, 'node_modules', tool)
  return spawnSync(process.execPath, [file, ...args], { cwd: root, stdio: ['ignore', 2, 2] }).status === 0
}

function codeState() {
  const compiled = readdirSync(join(root, 'packages')).sort()
  return stateOf([
    'tsconfig.base.json',
    'tsconfig.json',
    'package-lock.json',
    ...compiled.flatMap((name) => ['src', 'package.json', 'tsconfig.json'].map((part) => `packages/${name}/${part}`)),
  ])
}

function consoleState() {
  const parts = ['src', 'index.html', 'package.json', 'vite.config.mjs']
  return stateOf(['package-lock.json', ...parts.map((part) => `packages/console/${part}`)])
}

/** A hash over name, size and time of everything the build reads: half a millisecond per hundred files. */
function stateOf(paths) {
  const hash = createHash('sha256')
  const add = (path) => {
    const entry = statSync(join(root, path), { throwIfNoEntry: false })
    if (entry === undefined) return
    if (entry.isDirectory()) {
      for (const name of readdirSync(join(root, path)).sort()) add(`${path}/${name}`)
    } else if (!path.endsWith('.test.ts')) {
      hash.update(`${path} ${entry.size} ${entry.mtimeMs}\n`)
    }
  }
  for (const path of paths) add(path)
  return hash.digest('hex')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = build() ? 0 : 1
