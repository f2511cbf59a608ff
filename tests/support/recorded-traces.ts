import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folders = [process.env['INCIPIT_TRACES'], fileURLToPath(new URL('../../../shared/data', import.meta.url))]

/** A recorded trace that lies outside the repository; `undefined` where this machine has none. */
export function recordedTrace(name: string): string | undefined {
  return folders
    .filter((folder) => folder !== undefined)
    .map((folder) => join(folder, `${name}_dev.jsonl.gz`))
    .find((path) => existsSync(path))
}
