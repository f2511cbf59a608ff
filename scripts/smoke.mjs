// Starts the gateway as the README says, sends one prompt, stops it. Usage: node scripts/smoke.mjs
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from './build.mjs'

const patienceMs = 120_000
const dataDir = mkdtempSync(join(tmpdir(), 'incipit-smoke-'))
const flags = ['--port', '0', '--data-dir', dataDir, '--json', '--log-level', 'warn']
// A group of its own, so that whatever npm leaves behind can be ended by its id.
const child = spawn('npm', ['start', '--', ...flags], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
  detached: true,
  env: { ...process.env, INCIPIT_DISCOVERY: 'off' },
})
const exited = new Promise((resolve) => child.once('exit', resolve))
const late = setTimeout(() => fail(`not done within ${patienceMs / 1000} s`), patienceMs)

const url = await readyUrl().catch((error) => fail(error.message))
const response = await fetch(`${url}/v1/chat/completions`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 }),
})
const answer = await response.text()
const usage = response.ok ? JSON.parse(answer).usage : undefined
if (!(usage?.prompt_tokens > 0)) fail(`the gateway answered ${response.status}: ${answer.slice(0, 500)}`)

child.kill('SIGTERM')
await exited
await stopped()
clearTimeout(late)
rmSync(dataDir, { recursive: true, force: true })
console.log(`smoke: npm start answered ${usage.prompt_tokens} prompt tokens and stopped on SIGTERM`)

function readyUrl() {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{"event":"ready"')) resolve(JSON.parse(line).url)
    })
    void exited.then(() => reject(new Error('npm start ended before it was ready')))
  })
}

/** npm may end before what it started: the address must be free again. */
async function stopped() {
  while (
    await fetch(`${url}/health/liveness`).then(
      () => true,
      () => false,
    )
  ) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function fail(why) {
  console.error(`smoke: ${why}`)
  try {
    process.kill(-(child.pid ?? 0), 'SIGKILL')
  } catch {
    // The group is gone already.
  }
  rmSync(dataDir, { recursive: true, force: true })
  process.exit(1)
}
