import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { frame } from '@incipit/core'
import { blockTokens } from '../block-key.ts'

/** Which blocks lie in one folder: those of one model in one state format. */
export interface DiskIdentity {
  /** SHA-256 of the model file, hex. */
  readonly modelHash: string
  readonly stateFormat: string
}

const version = 1

/** @example folderOf({ modelHash, stateFormat }) // '9f86d081884c7d65' */
export function folderOf({ modelHash, stateFormat }: DiskIdentity): string {
  const fields = ['incipit/disk/1', modelHash, stateFormat, String(blockTokens)]
  return createHash('sha256').update(frame(fields)).digest('hex').slice(0, 16)
}

/** Bytes of the states in a folder; `undefined` where it holds none that this version can read. */
export function readFormat(directory: string): number | undefined {
  try {
    const format: unknown = JSON.parse(readFileSync(join(directory, 'format.json'), 'utf8'))
    const { version: found, slotBytes } = format as { version?: unknown; slotBytes?: unknown }
    return found === version && Number.isSafeInteger(slotBytes) && Number(slotBytes) > 0 ? Number(slotBytes) : undefined
  } catch {
    return undefined
  }
}

export function writeFormat(directory: string, slotBytes: number): void {
  writeFileSync(join(directory, 'format.json'), JSON.stringify({ version, slotBytes }), { mode: 0o600 })
}
