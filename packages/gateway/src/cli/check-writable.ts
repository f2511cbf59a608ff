import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Whether a file can be written, without touching it: work that ends in one should not begin in vain.
 * @throws Error naming the file and the reason
 * @example await checkWritable('/tmp/bench.svg')
 */
export async function checkWritable(file: string): Promise<void> {
  try {
    const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (found?.isDirectory() === true) throw new Error('it is a folder')
    await access(found === undefined ? dirname(file) : file, constants.W_OK)
  } catch (cause) {
    throw new Error(`${file} cannot be written: ${(cause as Error).message}`, { cause })
  }
}
