import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Makes the folder of a store where it is missing. What stands in the way in it is told: a link would be followed to
 * whatever it names, and opening a pipe would wait for its other end.
 *
 * @throws Error naming what is neither a file nor a folder, or of the system
 * @example makeStoreFolder('/data/kv/ad6598b62254fee0')
 */
export function makeStoreFolder(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const odd = readdirSync(directory, { withFileTypes: true }).find((entry) => !entry.isFile() && !entry.isDirectory())
  if (odd !== undefined) throw new Error(`${join(directory, odd.name)} is no plain file, and is not ours: remove it`)
}
