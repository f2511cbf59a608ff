import { bench, describe } from 'vitest'
import type { Segment } from '../domain/prompt.ts'
import { aScope } from './testing/prompts.ts'
import { wireChain } from './wire-chain.ts'

const scope = aScope('acme')

/** Odd segment lengths, so that segments begin at every alignment, as in real bodies. */
function promptOf(kilobytes: number): { body: Uint8Array; segments: Pick<Segment, 'span'>[] } {
  const body = Uint8Array.from({ length: kilobytes * 1024 }, (_, at) => 32 + (((at * 2_654_435_761) >>> 16) % 95))
  const segments: Pick<Segment, 'span'>[] = []
  for (let start = 1; start < body.length; start += 4_099) {
    segments.push({ span: { start, end: Math.min(body.length, start + 4_097) } })
  }
  return { body, segments }
}

for (const kilobytes of [20, 200, 2048]) {
  const prompt = promptOf(kilobytes)
  describe(`wire chain of ${kilobytes} KB`, () => {
    bench('wireChain', () => {
      wireChain(prompt, scope)
    })
  })
}
