import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../config/config-error.ts'

/**
 * Creates the data directory where it is missing, and writes to it once.
 * @throws ConfigError naming the directory, why it cannot be used, and what chooses another
 * @example await requireDataDir(config.dataDir)
 */
export async function requireDataDir(dataDir: string): Promise<void> {
  const why = await whyDataDirUnusable(dataDir)
  if (why === undefined) return
  throw new ConfigError(`the data directory ${dataDir} cannot be used: ${why}; --data-dir or data_dir chooses another`)
}

/** @returns the reason in plain words; `undefined` = the directory is there now and can be written to */
export async function whyDataDirUnusable(dataDir: string): Promise<string | undefined> {
  const probe = join(dataDir, `.probe-${randomUUID()}`)
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    await writeFile(probe, '')
    await rm(probe)
    return undefined
  } catch (error) {
    return reasonOf(error as NodeJS.ErrnoException) // fs rejects with these only
  }
}

/** @example reasonOf(Object.assign(new Error(), { code: 'EROFS' })) // 'its file system is read-only' */
export function reasonOf(error: NodeJS.ErrnoException): string {
  const reasons: Readonly<Record<string, string>> = {
    EEXIST: 'it is not a folder',
    ENOTDIR: 'a part of its path is not a folder',
    EACCES: 'this user may not write there',
    EPERM: 'this user may not write there',
    EROFS: 'its file system is read-only',
    ENOSPC: 'no space is left on its disk',
  }
  return reasons[error.code ?? ''] ?? error.message
}
