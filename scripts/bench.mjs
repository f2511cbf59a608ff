// npm run bench -- NAME [flags]: runs a compiled benchmark.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../benchmarks/dist/', import.meta.url)
const [name, ...flags] = process.argv.slice(2)
const entry = fileURLToPath(new URL(`${name}/run.js`, root))
if (name === undefined || !existsSync(entry)) {
  const known = existsSync(root)
    ? readdirSync(root).filter((folder) => existsSync(new URL(`${folder}/run.js`, root)))
    : []
  console.error(
    known.length === 0 ? 'build first: npm run build' : `usage: npm run bench -- ${known.join('|')} [--json]`,
  )
  process.exit(2)
}
spawn(process.execPath, [entry, ...flags], { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1))
