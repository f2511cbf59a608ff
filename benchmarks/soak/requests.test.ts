import { expect, test } from 'vitest'
import type { Kind, SoakRequest } from './requests.ts'
import { drawRequest, kinds } from './requests.ts'
import { SeededDraw } from './seeded-draw.ts'

const conversation = {
  model: 'demo',
  speaker: { key: 'a-key', isolation: 'first' },
  system: 'Be brief.',
  turns: [{ role: 'user' as const, text: 'Hello.' }],
}

function drawn(seed: number, count: number): SoakRequest[] {
  const draw = new SeededDraw(seed)
  return Array.from({ length: count }, () => drawRequest(draw, draw.weighted(kinds), conversation))
}

test('the same seed draws the same requests, another one others', () => {
  expect(drawn(1, 300)).toEqual(drawn(1, 300))
  expect(drawn(2, 300)).not.toEqual(drawn(1, 300))
})

test('all kinds come, of all dialects, streamed and whole', () => {
  const requests = drawn(3, 2_000)
  for (const kind of Object.keys(kinds) as Kind[]) {
    const share = (100 * requests.filter((request) => request.kind === kind).length) / requests.length
    expect(Math.abs(share - kinds[kind])).toBeLessThan(3)
  }
  const talks = requests.filter(({ kind }) => kind === 'talk')
  const seen = new Set(talks.map(({ path, stream }) => `${path} ${stream}`))
  expect(seen.size).toBe(6)
  const bodies = talks.map(({ body }) => JSON.stringify(body)).join('\n')
  for (const asked of [
    '"ttl":"5m"',
    '"ttl":"1h"',
    '"ttl":"30m"',
    '"prompt_cache_retention":"24h"',
    '"logprobs":true',
  ]) {
    expect(bodies).toContain(asked)
  }
})
