import { randomBytes } from 'node:crypto'
import { readdirSync, renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * Names of the journals beside a store file, `incipit.db`: `incipit.db.rows-4711-9f86d081884c-1` is the first of
 * one opening of it. The number of the process is for people; the random part tells openings apart, also where
 * every process has the same number. `.taken` behind a name: nobody appends to it any more.
 */
const infix = '.rows-'
const takenSuffix = '.taken'

/** Tells the journals of one opening of a store from all others. */
export function newOpening(): string {
  return `${process.pid}-${randomBytes(6).toString('hex')}`
}

/** @example journalPath('/data/incipit.db', '4711-9f86d081884c', 1) */
export function journalPath(file: string, opening: string, number: number): string {
  return `${file}${infix}${opening}-${number}`
}

/** What the position of a journal is stored under: the same before and after it was taken. */
export function journalName(path: string): string {
  const name = basename(path)
  return isTaken(name) ? name.slice(0, -takenSuffix.length) : name
}

export function isTaken(path: string): boolean {
  return path.endsWith(takenSuffix)
}

/** The paths of all journals of a store. */
export function allJournals(file: string): string[] {
  const folder = dirname(file)
  const start = `${basename(file)}${infix}`
  const names = readdirSync(folder).filter((name) => name.startsWith(start))
  return names.sort().map((name) => join(folder, name))
}

/** The paths of journals that other openings write to or have written to, and of our own that were taken. */
export function otherJournals(file: string, opening: string): string[] {
  const own = `${basename(file)}${infix}${opening}-`
  return allJournals(file).filter((path) => isTaken(path) || !basename(path).startsWith(own))
}

/**
 * Takes a journal away from whoever writes to it, who may be long gone. That is safe at any moment: a writer that
 * is alive finds its file gone after its next write, and writes those rows again to a new one, before it says that
 * they are recorded. So whatever was reported is in the file once it has its new name.
 *
 * @returns the new path; `undefined` when somebody else was faster
 */
export function takeJournal(path: string): string | undefined {
  if (isTaken(path)) return path
  try {
    renameSync(path, `${path}${takenSuffix}`)
    return `${path}${takenSuffix}`
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Whether an error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
