// Builds what is stale, then runs `incipit serve` in this process. Usage: npm start -- --port 4141
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build, isFresh, root } from './build.mjs'

const main = join(root, 'packages/gateway/dist/cli/main.js')

if (await prepared()) {
  process.argv[1] = main
  if (process.env.npm_lifecycle_event === 'start') endWithParent()
  await import(new URL('../packages/gateway/dist/cli/main.js', import.meta.url).href)
} else {
  process.exitCode = 1
}

async function prepared() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19))
    return refuse(`Node ${process.versions.node} is too old: 20.19 is needed`)
  if (!existsSync(join(root, 'node_modules/typescript')))
    return refuse('the dependencies are missing: run "npm ci" first')
  if (isFresh()) return true
  const begun = performance.now()
  process.stderr.write('building ... ')
  if (!build()) return refuse('\nthe build failed: see above')
  process.stderr.write(`done in ${((performance.now() - begun) / 1000).toFixed(1)} s\n`)
  return true
}

function refuse(why) {
  process.stderr.write(`${why}\n`)
  return false
}

/** npm passes a signal on to its shell only, which dies and leaves this process behind. */
function endWithParent() {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, 250)
  watch.unref()
}
