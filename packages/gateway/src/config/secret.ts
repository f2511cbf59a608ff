import { randomBytes } from 'node:crypto'
import { constants, copyFile, link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from './config-error.ts'
import type { ConfigSettings } from './config.ts'

/**
 * The secret that keys scopes and session ids: the configured one, else the one in `dataDir/secret`,
 * which is created on first use (0600, 32 random bytes as hex). The text of that file, configured as
 * `secret`, gives another gateway the same scopes.
 *
 * @throws ConfigError when the file holds no secret
 * @example const secret = await loadSecret(config)
 */
export async function loadSecret({ secret, dataDir }: Pick<ConfigSettings, 'secret' | 'dataDir'>): Promise<Uint8Array> {
  if (secret !== undefined) return Buffer.from(secret, 'utf8')
  const file = join(dataDir, 'secret')
  const text = (await readIfThere(file)) ?? (await create(dataDir, file))
  if (text.length < 16) throw new ConfigError(`${file} holds ${text.length} characters, at least 16 are needed`)
  return Buffer.from(text, 'utf8')
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Written whole beside its place and then linked there: two gateways that start at once agree on one
 * secret, and a killed one leaves no half of it.
 */
async function create(dataDir: string, file: string): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(`${randomBytes(32).toString('hex')}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  try {
    // Some file systems have no hard links.
    await link(temporary, file).catch(() => copyFile(temporary, file, constants.COPYFILE_EXCL))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(temporary, { force: true })
  }
  return (await readFile(file, 'utf8')).trim()
}
