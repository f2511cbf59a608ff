import { compiledEntry, IncipitError } from '@incipit/core'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Exchange } from '../http/exchange.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Files the console consists of; nothing else on disk can be named. */
const files = ['index.html', 'console.css', 'console.js', 'icon.svg'] as const

/** `GET /` and its files: the console, static, talking to the public API only. */
export async function showConsole(exchange: Exchange): Promise<void> {
  const asked = exchange.params['file'] ?? 'index.html'
  const file = files.find((name) => name === asked)
  if (file === undefined) throw new IncipitError('unknown_route', 'the console has no such file')
  const bytes = await readFile(fileURLToPath(compiledEntry(import.meta.url, `../console/${file}`)))
  exchange.response.writeHead(200, {
    'content-type': types[file.slice(file.lastIndexOf('.'))] ?? 'application/octet-stream',
    'content-length': bytes.length,
    'cache-control': 'no-cache',
    'content-security-policy': "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    'x-content-type-options': 'nosniff',
  })
  exchange.response.end(bytes)
}
