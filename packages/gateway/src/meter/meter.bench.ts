import type { Clock } from '@incipit/core'
import {
  createOpenaiChat,
  epochMs,
  fingerprint,
  IsolationScope,
  milliseconds,
  orgId,
  requestId,
  sessionId,
} from '@incipit/core'
import { pino } from 'pino'
import { bench, describe } from 'vitest'
import type { Identified } from '../passage.ts'
import { Passage } from '../passage.ts'
import { nodeHasher } from '../ports/node-hasher.ts'
import { LayeredPrices } from '../prices/layered-prices.ts'
import { aSettings } from '../upstreams/testing/a-settings.ts'
import { openUpstream } from '../upstreams/upstream.ts'
import { requestEvent } from './request-event.ts'
import { ReuseBook } from './reuse-book.ts'

/** What it takes to make a row of an answered request, with a priced model and this many sessions that come again. */
const liveSessions = [100, 50_000]

const ports = { hasher: nodeHasher, secret: new Uint8Array(32).fill(7) }
const clock: Clock = { now: () => epochMs(Date.UTC(2026, 10, 25)), monotonic: () => milliseconds(1) }
const log = pino({ level: 'silent' })
const dialect = createOpenaiChat()
const messages = [
  { role: 'system', content: 'Rules. '.repeat(2_000) },
  { role: 'user', content: 'Hi' },
]
const prompt = dialect.parse(new TextEncoder().encode(JSON.stringify({ model: 'gpt-6-sol', messages })), {})
const scope = IsolationScope.of({ org: orgId('acme') }, ports)
const { wireHash } = fingerprint(prompt, scope)
const upstream = openUpstream(aSettings)
const [replica] = upstream.replicas
if (replica === undefined) throw new Error('an upstream has a replica')
const raw = {
  prompt_tokens: 9_727,
  completion_tokens: 12,
  prompt_tokens_details: { cached_tokens: 9_216, cache_write_tokens: 480 },
}
const headers = { 'x-ratelimit-limit-tokens': '1000', 'x-ratelimit-remaining-tokens': '900' }

for (const sessions of liveSessions) {
  const reuse = new ReuseBook()
  const house = { ...ports, clock, reuse, prices: new LayeredPrices([]), log, config: { generation: 1, hash: 'h' } }
  let count = 0
  describe(`a row, ${sessions} sessions`, () => {
    bench('requestEvent', () => {
      const passage = new Passage({ id: requestId('req_1'), receivedAt: 0 }, dialect, house)
      const session = sessionId(`ses_${count++ % sessions}`)
      const caller = { org: orgId('acme'), keyName: 'web' }
      const who = { caller, prompt, session, scope, wireHash, opening: wireHash, prefixCache: 'on', control: false }
      passage.identified(who as Identified) // no more of it is read
      passage.trying(
        { kind: 'upstream', upstream, model: 'gpt-6-sol', replica },
        { edits: [], translated: false, warnings: [], dialect },
      )
      passage.heard(headers)
      passage.used(dialect.usage(raw), raw)
      requestEvent(passage, who as Identified, house)
    })
  })
}
