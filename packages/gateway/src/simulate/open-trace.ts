import type { TraceRequest } from '@incipit/core'
import { readTrace, textLines, TraceError } from '@incipit/core'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'

/**
 * The requests of a trace file, plain or gzip by its content.
 * @throws TraceError that names the file, and says what is wrong with it and in which line
 * @example for await (const request of openTrace('mooncake_conversation_dev.jsonl.gz')) chains.add(request)
 */
export async function* openTrace(path: string): AsyncGenerator<TraceRequest> {
  try {
    const zipped = await isGzip(path)
    if (!zipped && /\.gz$/i.test(path)) throw new TraceError('it is named .gz and is not gzip')
    const file = createReadStream(path)
    // `pipe` hands on no errors of the file, but one that could just be read gives none but those of its disk.
    yield* readTrace(textLines(zipped ? file.pipe(createGunzip()) : file))
  } catch (error) {
    throw new TraceError(`${path}: ${reasonOf(error)}`, { cause: error })
  }
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const start = new Uint8Array(2)
    await file.read(start, 0, 2, 0)
    return start[0] === 0x1f && start[1] === 0x8b
  } finally {
    await file.close()
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a folder: expected a file of requests, one JSON object per line',
    EACCES: 'it may not be read by this user',
    Z_DATA_ERROR: `its gzip data is damaged (${error.message})`,
    Z_BUF_ERROR: `its gzip data ends too early (${error.message})`,
  }
  return reasons[code ?? ''] ?? error.message
}
