import { closeSync, openSync } from 'node:fs'
import koffi from 'koffi'

/** A file that is ours alone until it is released, or until this process ends, however it ends. */
export interface FileLock {
  release(): void
}

/** `LOCK_EX | LOCK_NB`. */
const exclusiveWithoutWaiting = 6

type Flock = (fd: number, operation: number) => number

let flock: Flock | undefined

/**
 * Locks a file, which is created where it is missing. Where the system has no such lock (Windows), opening the file
 * is all there is.
 *
 * @returns `undefined` when another process has it, or this one by another call
 * @example const lock = lockFile(join(directory, 'lock'))
 */
export function lockFile(path: string): FileLock | undefined {
  const fd = openSync(path, 'a', 0o600)
  if (process.platform !== 'win32' && systemFlock()(fd, exclusiveWithoutWaiting) !== 0) {
    closeSync(fd)
    return undefined
  }
  return { release: () => closeSync(fd) }
}

function systemFlock(): Flock {
  if (flock === undefined) {
    const library = koffi.load(process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6')
    flock = library.func('int flock(int fd, int operation)') as unknown as Flock
  }
  return flock
}
