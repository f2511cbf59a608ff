import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, readSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Hashing smaller files takes less time than is worth a record. */
const recordFromBytes = 64 * 1024 * 1024

/** What a recorded hash was made of; any difference makes it void. */
interface HashRecord {
  readonly path: string
  readonly bytes: number
  readonly modifiedNs: string
  readonly sha256: string
}

/**
 * SHA-256 of a file, hex. Of a file above 64 MiB it is recorded under `dataDir` with size and time of
 * change, so that a restart does not read gigabytes again.
 *
 * @example fileHash('/models/m.gguf', '.incipit')
 */
export function fileHash(path: string, dataDir: string): string {
  const status = statSync(path, { bigint: true })
  const bytes = Number(status.size)
  if (bytes < recordFromBytes) return hashFile(path)
  const identity = { path: resolve(path), bytes, modifiedNs: String(status.mtimeNs) }
  const recordFile = join(dataDir, 'model-hashes', `${sha256(identity.path).slice(0, 24)}.json`)
  const recorded = readRecord(recordFile)
  if (recorded !== undefined && sameFile(recorded, identity)) return recorded.sha256
  const record: HashRecord = { ...identity, sha256: hashFile(path) }
  mkdirSync(join(dataDir, 'model-hashes'), { recursive: true })
  writeFileSync(`${recordFile}.${process.pid}.part`, JSON.stringify(record))
  renameSync(`${recordFile}.${process.pid}.part`, recordFile)
  return record.sha256
}

function sameFile(left: HashRecord, right: Omit<HashRecord, 'sha256'>): boolean {
  return left.path === right.path && left.bytes === right.bytes && left.modifiedNs === right.modifiedNs
}

function readRecord(file: string): HashRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(file, 'utf8')) as HashRecord
    return /^[0-9a-f]{64}$/.test(record.sha256) ? record : undefined
  } catch {
    // Absent or damaged: the hash is made again.
    return undefined
  }
}

function hashFile(path: string): string {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(1 << 20)
  const file = openSync(path, 'r')
  try {
    for (let read = -1; read !== 0;) {
      read = readSync(file, buffer)
      hash.update(buffer.subarray(0, read))
    }
  } finally {
    closeSync(file)
  }
  return hash.digest('hex')
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
