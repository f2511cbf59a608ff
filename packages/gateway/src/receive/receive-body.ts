import { IncipitError } from '@incipit/core'
import type { IncomingMessage } from 'node:http'

/**
 * The whole body, within a limit: a declared length over it is refused before a byte is read.
 * @throws IncipitError `body_too_large`, `client_closed`
 * @example const body = await receiveBody(request, 32 * 2 ** 20)
 */
export async function receiveBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > maxBytes) throw tooLarge(declared, maxBytes)
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxBytes) {
        chunks.push(chunk)
        return
      }
      request.pause()
      request.removeAllListeners('data')
      reject(tooLarge(size, maxBytes))
    })
    request.on('end', () => {
      const [only] = chunks
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size))
    })
    const gone = (cause?: unknown): void => {
      reject(new IncipitError('client_closed', `the client went away after ${size} bytes of the body`, { cause }))
    }
    request.on('error', gone)
    request.on('close', () => gone())
  })
}

function tooLarge(seen: number, allowed: number): IncipitError {
  return new IncipitError('body_too_large', `the body has at least ${seen} bytes, ${allowed} are allowed`)
}
