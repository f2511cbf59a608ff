import { compiledEntry, IncipitError } from '@incipit/core'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Exchange } from '../http/exchange.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.md': 'text/markdown; charset=utf-8',
}

/** What the bundler names a file: no separator, so that nothing outside its folder can be named. */
const fileName = /^[A-Za-z0-9][\w-]{0,80}\.(?:css|js|svg|md)$/

/** Scripts, styles and data of this gateway only; nothing in line, nothing from elsewhere, no framing. */
const policy = [
  "default-src 'none'",
  ...['script-src', 'style-src', 'img-src', 'connect-src'].map((kind) => `${kind} 'self'`),
  ...['base-uri', 'form-action', 'frame-ancestors'].map((kind) => `${kind} 'none'`),
].join('; ')

/** `GET /`: the page of the console, which talks to the public API only. */
export async function showConsole(exchange: Exchange): Promise<void> {
  await sendFile(exchange, 'index.html', 'no-cache')
}

/** `GET /console/{file}`: what the page consists of. The name changes with the content, so it may be kept. */
export async function showConsoleFile(exchange: Exchange): Promise<void> {
  const name = exchange.params['file'] ?? ''
  if (!fileName.test(name)) throw unknownFile()
  await sendFile(exchange, `console/${name}`, 'public, max-age=31536000, immutable')
}

async function sendFile({ response }: Exchange, path: string, caching: string): Promise<void> {
  const file = fileURLToPath(compiledEntry(import.meta.url, `../console/${path}`))
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? unknownFile() : error
  })
  response.writeHead(200, {
    'content-type': types[path.slice(path.lastIndexOf('.'))] ?? 'application/octet-stream',
    'content-length': bytes.length,
    'cache-control': caching,
    'content-security-policy': policy,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  })
  response.end(bytes)
}

function unknownFile(): IncipitError {
  return new IncipitError('unknown_route', 'the console has no such file')
}
