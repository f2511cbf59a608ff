import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Makes the system forget what it keeps in memory of the files of blocks in a data directory, and of nothing else.
 * @throws Error where the system is not Linux
 */
export function dropPageCache(dataDir: string): void {
  if (process.platform !== 'linux') throw new Error('the page cache can be dropped on Linux only')
  for (const store of readdirSync(join(dataDir, 'kv'))) {
    for (const file of ['states', 'headers']) {
      const path = join(dataDir, 'kv', store, file)
      execFileSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none'])
    }
  }
}
