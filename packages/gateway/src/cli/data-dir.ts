import { randomUUID } from 'node:crypto'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
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
    await makeFolder(dataDir)
    await writeFile(probe, '')
    await rm(probe)
    return undefined
  } catch (error) {
    return reasonOf(error as NodeJS.ErrnoException) // fs rejects with these only
  }
}

/** Not `recursive`: below /proc and the like Node 20 tries that for ever, as mkdir says ENOENT though the parent is there. */
async function makeFolder(folder: string, parentsMade = false): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // fs rejects with these only
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return
    if (code !== 'ENOENT' || parentsMade) throw error
    await makeFolder(dirname(folder))
    await makeFolder(folder, true)
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
    ENOENT: 'no folder can be made there',
    ENOSPC: 'no space is left on its disk',
  }
  return reasons[error.code ?? ''] ?? error.message
}
