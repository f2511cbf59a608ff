import { expect, test } from 'vitest'
import type { TraceRequest } from './trace.ts'
import { readTrace } from './trace.ts'

async function read(...lines: readonly string[]): Promise<TraceRequest[]> {
  const requests: TraceRequest[] = []
  async function* source(): AsyncGenerator<string> {
    yield* lines
  }
  for await (const request of readTrace(source())) requests.push(request)
  return requests
}

test('a mooncake line is ids of blocks of 512 tokens', async () => {
  expect(await read('{"timestamp": 27, "input_length": 600, "output_length": 9, "hash_ids": [0, 8]}', '')).toEqual([
    { blockTokens: 512, blocks: [0, 8], inputTokens: 600, at: 27, session: undefined, turnOver: undefined },
  ])
})

test('an agentcode line is runs of ids of blocks of 64 tokens', async () => {
  expect(
    await read('{"session": "s", "timestamp": 0, "input_length": 300, "stop": "end_turn", "runs": [[5, 2], [9, 1]]}'),
  ).toEqual([{ blockTokens: 64, blocks: [5, 6, 9], inputTokens: 300, at: 0, session: 's', turnOver: true }])
})

const good = '{"timestamp": 0, "input_length": 512, "hash_ids": [1]}'

test.each([
  ['no line', [], 'no line that is not empty'],
  [
    'text',
    [good, 'hello'],
    'line 2 is not JSON: expected one request per line, hash_ids with a list of block ids (mooncake) or runs',
  ],
  ['a number', ['7'], 'line 1 is not a JSON object'],
  ['other fields', ['{"text": "a", "label": null}'], 'line 1 is of no known format: expected hash_ids'],
  ['no length', ['{"timestamp": 0, "hash_ids": [1]}'], 'line 1: input_length must be a whole number of at least 0'],
  ['no time', ['{"input_length": 1, "hash_ids": [1]}'], 'line 1: timestamp must be a number'],
  [
    'a bad id',
    ['{"timestamp": 0, "input_length": 1, "hash_ids": [1.5]}'],
    'line 1: hash_ids must be a list of whole numbers',
  ],
  [
    'too few ids',
    [good, '{"timestamp": 0, "input_length": 1500, "hash_ids": [0]}'],
    'line 2: hash_ids has 1, but input_length 1500 is 3 of 512 tokens (mooncake)',
  ],
  ['too many ids', ['{"timestamp": 0, "input_length": 512, "hash_ids": [0, 1]}'], 'line 1: hash_ids has 2, but'],
  ['another format', [good, '{"timestamp": 0, "input_length": 1, "runs": []}'], 'line 2: hash_ids must be a list'],
  [
    'a bad run',
    ['{"timestamp": 0, "input_length": 1, "runs": [[1]]}'],
    'line 1: runs must be a list of [first, count]',
  ],
  [
    'an endless run',
    ['{"timestamp": 0, "input_length": 1, "runs": [[1, 1e15]]}'],
    'line 1: runs name more than 4000000 blocks',
  ],
] as const)('a trace with %s is refused with its line and what was expected', async (_, lines, message) => {
  await expect(read(...lines)).rejects.toThrow(message)
})
