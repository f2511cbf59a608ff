import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** One recorded request of a coding agent. */
export interface RecordedRequest {
  readonly session: string
  readonly timestamp: number
  readonly prompt: string
}

interface Row {
  readonly session: string
  readonly timestamp: number
  readonly keep: number
  readonly add: string
}

/**
 * Rebuilds the full prompts of `miniswe_text_*.jsonl.gz`, in file order.
 * @example const requests = readSessions('fixtures/traces/miniswe_text_dev.jsonl.gz')
 */
export function readSessions(file: string): RecordedRequest[] {
  const previous = new Map<string, readonly string[]>()
  const lines = gunzipSync(readFileSync(file)).toString('utf8').split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const row = JSON.parse(line) as Row // our own fixture, described beside it
      const characters = [...(previous.get(row.session) ?? []).slice(0, row.keep), ...Array.from(row.add)]
      previous.set(row.session, characters)
      return { session: row.session, timestamp: row.timestamp, prompt: characters.join('') }
    })
}
