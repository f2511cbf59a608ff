import { write, writeSync } from 'node:fs'
import type { LedgerErrorReason } from './ledger-error.ts'
import { LedgerError } from './ledger-error.ts'

/** How a journal writes; for tests of disks that are slow or full. Both append, and may write less than all. */
export interface JournalDisk {
  writeSync(fd: number, bytes: Uint8Array): number
  write(fd: number, bytes: Uint8Array): Promise<number>
}

export const fileDisk: JournalDisk = {
  writeSync: (fd, bytes) => writeSync(fd, bytes),
  write: (fd, bytes) =>
    new Promise((resolve, reject) => {
      write(fd, bytes, (error, written) => (error === null ? resolve(written) : reject(error)))
    }),
}

// Quota and the largest file of a process end in the same place as a full disk.
const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** An error of the file system as whoever records sees it. */
export function reasonOf(error: unknown): LedgerError {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason: LedgerErrorReason = fullCodes.has(code) ? 'disk_full' : 'store_failed'
  return new LedgerError(reason, message)
}

export function countLines(bytes: Buffer): number {
  let lines = 0
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) lines += 1
  return lines
}
