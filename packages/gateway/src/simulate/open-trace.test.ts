import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTrace } from './open-trace.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'incipit-trace-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function read(name: string, content: string | Uint8Array): Promise<number> {
  await writeFile(join(folder, name), content)
  return requestsIn(join(folder, name))
}

async function requestsIn(path: string): Promise<number> {
  let requests = 0
  for await (const _ of openTrace(path)) requests++
  return requests
}

const lines = Array.from(
  { length: 200 },
  (_, at) => `{"timestamp": ${at}, "input_length": 5, "hash_ids": [${at * 7}]}\n`,
)
const zipped = gzipSync(lines.join(''))

test('a trace may be plain or gzip, whatever it is called', async () => {
  expect(await read('zipped', zipped)).toBe(200)
  expect(await read('plain', lines.join(''))).toBe(200)
})

test.each([
  ['plain.gz', '{}', 'plain.gz: it is named .gz and is not gzip'],
  ['torn', zipped.subarray(0, 100), 'torn: its gzip data ends too early'],
  ['damaged', zipped.map((byte, at) => (at > 60 && at < 90 ? byte ^ 255 : byte)), 'damaged: its gzip data is damaged'],
  ['text', 'a\n', 'text: line 1 is not JSON'],
  ['other', gzipSync('{"text": 1}\n'), 'other: line 1 is of no known format: expected hash_ids'],
  ['empty', '', 'empty: the trace has no line that is not empty'],
] as const)('%s is refused, with its name and what is wrong', async (name, content, message) => {
  await expect(read(name, content)).rejects.toThrow(message)
})

test('what cannot be opened is refused, with its name', async () => {
  await expect(requestsIn(join(folder, 'absent'))).rejects.toThrow('absent: there is no such file')
  await expect(requestsIn(folder)).rejects.toThrow('it is a folder')
})
