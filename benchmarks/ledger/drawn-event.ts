import type { LedgerEvent } from 'incipit'

/** The time over which events are spread. */
export const spanMs: number = 30 * 86_400_000

const organisations = 7
const keysPerOrganisation = 3
const models = 5
const providers = ['anthropic', 'openai', 'fireworks']
const causes = ['expired', 'evicted', 'tools_changed', 'system_changed', 'messages_changed', 'below_minimum']

/**
 * The event of a number, the same each time: 105 combinations of organisation, key and model, 20,000 sessions, two of
 * three requests warm, and a cause, `routed_elsewhere`, that one in 100,000 has.
 * @example drawnEvent(0, { from: Date.UTC(2026, 9, 1), total: 1_000_000 })
 */
export function drawnEvent(
  number: number,
  { from, total }: { readonly from: number; readonly total: number },
): LedgerEvent {
  const random = seeded(number)
  const organisation = Math.floor(random() * organisations)
  const model = Math.floor(random() * models)
  const provider = providers[model % providers.length] ?? ''
  const prompt = Math.floor(200 * Math.exp(random() * 6.5))
  const warm = random() < 0.66
  const read = warm ? Math.floor(prompt * (0.5 + random() / 2)) : 0
  const write = warm ? 0 : Math.floor(prompt * 0.8)
  const output = Math.floor(50 + random() * 800)
  const ttft = (warm ? 250 : 600) * Math.exp(random() * 1.5) + prompt / (warm ? 100 : 20)
  const session = Math.floor(random() * 20_000)
  const fresh = prompt - read - write
  const cost = fresh * 3_000_000 + read * 300_000 + write * 3_750_000 + output * 15_000_000
  const event = {
    id: `req_${String(number).padStart(24, '0')}`,
    kind: 'request',
    at: from + (number / total) * spanMs,
    org: `org-${organisation}`,
    keyName: `key-${organisation}-${Math.floor(random() * keysPerOrganisation)}`,
    session: `ses_${String(session).padStart(32, '0')}`,
    scopeKey: 'f'.repeat(64),
    dialect: provider === 'anthropic' ? 'anthropic-messages' : 'openai-chat',
    upstream: provider,
    replica: `https://api.${provider}.example`,
    provider,
    serviceTier: 'standard',
    model: `model-${model}`,
    servedModel: `model-${model}-20260101`,
    stream: true,
    configGeneration: 1,
    configHash: 'c0ffee00',
    wireHash: (session % 4_000).toString(16).padStart(16, '0'),
    usage: { fresh, read, write5m: write, output },
    rawUsage: JSON.stringify({ input_tokens: fresh, cache_read_input_tokens: read, output_tokens: output }),
    inputTokens: prompt,
    cachedInputTokens: read,
    expectedTokens: read,
    prefixCache: 'on',
    edits: ['inject-usage'],
    warnings: [],
    ttftMs: ttft,
    totalMs: ttft + output * 12,
    status: random() < 0.01 ? 502 : 200,
    cost: BigInt(cost),
    costRead: BigInt(read * 300_000),
    costWrite: BigInt(write * 3_750_000),
    costOutput: BigInt(output * 15_000_000),
    counterfactual: BigInt(prompt * 3_000_000 + output * 15_000_000),
    priceId: `local/${provider}/model-${model}@2026-09-22`,
    control: random() < 0.05,
    reuse: warm ? 'same_session' : 'first',
    verdict: warm ? (read < prompt * 0.7 ? 'partial' : 'warm') : 'cold',
    cause: warm ? 'warm' : number % 100_000 === 7 ? 'routed_elsewhere' : causes[Math.floor(random() * causes.length)],
    requestHeadroom: random(),
    tokenHeadroom: random(),
  }
  return event as unknown as LedgerEvent // the units of a benchmark are plain numbers
}

/** Mulberry32: small, fast, and the same everywhere. */
function seeded(seed: number): () => number {
  let state = (seed + 1) * 0x9e3779b1
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
