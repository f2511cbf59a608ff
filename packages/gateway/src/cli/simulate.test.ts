import { compiledEntry } from '@incipit/core'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const main = fileURLToPath(compiledEntry(import.meta.url, './main.js'))
const trace = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/traces/${name}`, import.meta.url))
const conversation = trace('handmade-conversation.jsonl')
const agents = trace('handmade-agents.jsonl')
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'incipit-simulate-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(...args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, 'simulate', 'cache', ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

test.each([
  // 0 | 0 3: 512 | 0 4: 512 | 0 1: 512 + 512, 1 is held: 0 4 3 2 1 is what five blocks hold | 0 3: all of 1000
  ['conversation', 512, 100, 512 + 512 + 1024 + 1000, 6_272],
  // Three blocks: 0 1 2 | 0 3 1 | 0 4 3 | 0 1 5 | 0 3 5
  ['conversation', 512, 3, 512 + 512 + 512 + 512, 6_272],
  // a: 4 shared + 100..105; b shares 4 blocks of 64; a goes on with 10 blocks known, then with all
  ['agents', 64, 100, 256 + 640 + 17 * 64, 3_440],
  // Of 10 blocks joined by 8: [0..3 100..103] [104 105]; b shares none; a: the first; then all 3
  ['agents', 512, 100, 0 + 512 + 1_100, 3_440],
] as const)(
  'LRU on handmade %s, blocks of %i tokens, %i held: hits counted by hand',
  async (name, block, capacity, hits, input) => {
    const file = name === 'agents' ? agents : conversation
    const args = [
      '--trace',
      file,
      '--block',
      String(block),
      '--capacity-blocks',
      String(capacity),
      '--policy',
      'lru',
      '--json',
    ]
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      requests: name === 'agents' ? 4 : 5,
      input_tokens: input,
      hit_tokens: hits,
      hit_ratio: hits / input,
    })
  },
)

test('without a policy all are shown, with the share of what is possible', async () => {
  const { stdout } = await run('--trace', conversation, '--capacity-blocks', '3')
  expect(stdout).toMatch(/^5 requests, 6,272 input tokens; a cache of 3 blocks of 512 tokens\n\npolicy /)
  expect(stdout).toMatch(
    /\nlru +2,048 +32\.65 %\nincipit +2,048 +32\.65 %\nmin +\d,\d{3} +\d\d\.\d\d %\n\nincipit: 0\.00 % of the way/,
  )
  const json = await run('--trace', conversation, '--capacity-blocks', '3', '--json')
  expect(JSON.parse(json.stdout)).toMatchObject({ lru: { hit_tokens: 2_048 }, min: { requests: 5 }, share_of_gap: 0 })
})

test('a ratio of nothing is null', async () => {
  const file = join(folder, 'nothing.jsonl')
  await writeFile(file, '{"timestamp": 0, "input_length": 0, "hash_ids": []}\n')
  const { stdout } = await run('--trace', file, '--capacity-blocks', '3', '--policy', 'incipit', '--json')
  expect(JSON.parse(stdout)).toEqual({ requests: 1, input_tokens: 0, hit_tokens: 0, hit_ratio: null })
})

test.each([
  [['--trace', 'absent', '--capacity-blocks', '3'], 'absent: there is no such file'],
  [['--trace', conversation, '--capacity-blocks', '1e3'], 'from 1 to 100000000, got "1e3"'],
  [
    ['--trace', conversation, '--capacity-blocks', '3', '--block', '256'],
    '--block 256: the trace has blocks of 512 tokens',
  ],
])('what cannot be simulated is refused in plain words, case %$', async (args, message) => {
  const { code, stdout, stderr } = await run(...args)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain(message)
  // At most a hint follows, never a stack.
  expect(stderr.trimEnd().split('\n').slice(1).join('')).toMatch(/^(\(incipit simulate cache --help .*\))?$/)
})
