import type { FSWatcher } from 'node:fs'
import { watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What is watched, and how patiently. */
export interface WatchInput {
  /** Absolute path; it need not exist yet. */
  readonly file: string
  /** Absolute paths of what belongs to it as it is now, and is watched as well. */
  readonly others?: () => readonly string[]
  /** The file is another one than before, or gone. Told once at the start, too: it was read a while ago. */
  readonly onChange: () => void
  /** How long the file has to stay as it is before it is told of: editors and tools write in several steps. */
  readonly debounceMs?: number
  readonly pollMs?: number
}

/**
 * Watches a file, and what belongs to it, by events of its folder and, because a swapped symlink further up or a network drive
 * sends none, by looking every few seconds. Side effect: a timer and a watcher that do not keep the
 * process alive, until `close`.
 *
 * @example const watcher = watchConfig({ file, onChange: () => void reloader.reload('file') })
 */
export function watchConfig({ file, others = () => [], onChange, debounceMs = 250, pollMs = 2000 }: WatchInput): {
  close(): void
} {
  let handled: string | undefined
  let candidate: string | undefined
  let pending: NodeJS.Timeout | undefined
  let closed = false
  // Never postponed by further events: a folder may hold a database that is written to all the time.
  const notice = (): void => {
    pending ??= setTimeout(() => void settle(), debounceMs).unref()
  }
  const settle = async (): Promise<void> => {
    const seen = (await Promise.all([file, ...others()].map(identityOf))).join('\n')
    pending = undefined
    if (closed || seen === handled) return
    if (seen === candidate) {
      handled = seen
      onChange()
    } else {
      candidate = seen
      notice()
    }
  }
  notice()
  const events = watchFolder(dirname(file), notice)
  const poll = setInterval(notice, pollMs).unref()
  return {
    close: () => {
      closed = true
      clearTimeout(pending)
      clearInterval(poll)
      events?.close()
    },
  }
}

/** Where a folder cannot be watched, looking every few seconds has to do. */
function watchFolder(folder: string, onEvent: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined
  }
}

/** Follows symlinks: another target is another file. */
async function identityOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(file, { bigint: true })
    return [dev, ino, size, mtimeNs].join(' ')
  } catch {
    return 'gone'
  }
}
