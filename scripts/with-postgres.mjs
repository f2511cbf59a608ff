// Runs a command beside a private PostgreSQL server, which listens on a socket in a temporary folder only.
// Usage: node scripts/with-postgres.mjs npm test
// The command finds INCIPIT_TEST_POSTGRES (a URL) and INCIPIT_TEST_POSTGRES_CTL (pg_ctl as a JSON list, to stop and start it).
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

const [command, ...flags] = process.argv.slice(2)
if (command === undefined) {
  console.error('usage: node scripts/with-postgres.mjs COMMAND [ARGUMENTS]')
  process.exit(2)
}

const bin = binaries()
const folder = mkdtempSync(join(tmpdir(), 'pg-'))
const data = join(folder, 'data')
const password = join(folder, 'password')
// PostgreSQL refuses to run as root: then it runs as the user that its package made.
const isRoot = userInfo().uid === 0
const as = isRoot ? ['runuser', '-u', 'postgres', '--'] : []

try {
  writeFileSync(password, 'secret', { mode: 0o600 })
  if (isRoot) for (const path of [folder, password]) chownSync(path, ...postgresUser())
  run(
    join(bin, 'initdb'),
    '-D',
    data,
    '-U',
    'incipit',
    '--auth=scram-sha-256',
    `--pwfile=${password}`,
    '-E',
    'UTF8',
    '--no-locale',
  )
  const settings = [
    `unix_socket_directories = '${folder}'`,
    "listen_addresses = ''",
    'fsync = off',
    'max_connections = 50',
  ]
  appendFileSync(join(data, 'postgresql.conf'), `${settings.join('\n')}\n`)
  const control = [...as, join(bin, 'pg_ctl'), '-D', data, '-w', '-l', join(folder, 'log'), '-s']
  run(...control.slice(as.length), 'start')
  try {
    const env = {
      ...process.env,
      INCIPIT_TEST_POSTGRES: `postgres://incipit:secret@/postgres?host=${folder}`,
      INCIPIT_TEST_POSTGRES_CTL: JSON.stringify(control),
    }
    const { status } = spawnSync(command, flags, { stdio: 'inherit', env })
    process.exitCode = status ?? 1
  } finally {
    // A test that failed may have stopped it.
    if (existsSync(join(data, 'postmaster.pid'))) run(...control.slice(as.length), '-m', 'immediate', 'stop')
  }
} finally {
  rmSync(folder, { recursive: true })
}

function run(program, ...args) {
  const [first, ...rest] = [...as, program, ...args]
  // The server keeps what it is given open: it gets nothing of ours.
  execFileSync(first, rest, { stdio: ['ignore', 'ignore', 'inherit'], cwd: folder })
}

function postgresUser() {
  const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return [id('-u'), id('-g')]
}

function binaries() {
  const packages = '/usr/lib/postgresql'
  const versions = existsSync(packages) ? readdirSync(packages).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map((version) => join(packages, version, 'bin')), ...(process.env.PATH ?? '').split(':')]
  const found = folders.find((path) => existsSync(join(path, 'initdb')) && existsSync(join(path, 'pg_ctl')))
  if (found === undefined) throw new Error('there is no PostgreSQL here: apt-get install postgresql')
  return found
}
