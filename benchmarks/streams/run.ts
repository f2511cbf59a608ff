import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import OpenAI from 'openai'
import { startServerProcess } from '../support/server-process.ts'
import { spread } from '../support/statistics.ts'

/** One stream: when it was sent, when its first and last bytes came; milliseconds since the start. */
interface Streamed {
  readonly sent: number
  readonly first: number
  readonly last: number
  readonly tokens: number
}

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    streams: { type: 'string', default: '32' },
    'prompt-words': { type: 'string', default: '400' },
    'max-tokens': { type: 'string', default: '64' },
  },
})

const server = await startServerProcess()
const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 0, timeout: 600_000 })
try {
  await one(0)
  await metrics()
  const begun = performance.now()
  const streams: Promise<Streamed>[] = []
  for (let index = 0; index < Number(flags.streams); index++) {
    streams.push(one(begun))
    // Enough of a gap that the order of sending is the order of arrival.
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  report(await Promise.all(streams), await metrics())
} finally {
  await server.stop()
}

async function one(begun: number): Promise<Streamed> {
  const content = Array.from({ length: Number(flags['prompt-words']) }, () => randomBytes(3).toString('hex')).join(' ')
  const sent = performance.now() - begun
  const stream = await client.chat.completions.create({
    model: 'demo',
    messages: [{ role: 'user', content }],
    max_tokens: Number(flags['max-tokens']),
    stream: true,
    stream_options: { include_usage: true },
  })
  let first = Number.NaN
  let tokens = 0
  for await (const chunk of stream) {
    if (Number.isNaN(first) && chunk.choices[0]?.delta.content) first = performance.now() - begun
    tokens = chunk.usage?.completion_tokens ?? tokens
  }
  return { sent, first, last: performance.now() - begun, tokens }
}

/** The server's own figures; reading them starts a new window of event-loop delay. */
async function metrics(): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  const rows = [...text.matchAll(/^(incipit_(?:event_loop_delay_seconds|engine_\w+bytes)(?:\{[^}]*\})?) (\S+)$/gm)]
  return Object.fromEntries(rows.map(([, name, value]) => [name ?? '', Number(value)]))
}

function report(streams: readonly Streamed[], figures: Readonly<Record<string, number>>): void {
  const starts = streams.map((stream) => stream.first)
  const overtaken = starts.filter((first, index) => starts.slice(0, index).some((earlier) => earlier > first)).length
  const result = {
    streams: streams.length,
    finished: streams.filter((stream) => stream.tokens > 0).length,
    startedBeforeAnEarlierOne: overtaken,
    firstByteMs: spread(streams.map((stream) => stream.first - stream.sent)),
    totalMs: Math.max(...streams.map((stream) => stream.last)),
    tokens: streams.reduce((total, stream) => total + stream.tokens, 0),
    eventLoopDelayP99Ms: (figures['incipit_event_loop_delay_seconds{quantile="0.99"}'] ?? Number.NaN) * 1000,
    eventLoopDelayMaxMs: (figures['incipit_event_loop_delay_seconds{quantile="1"}'] ?? Number.NaN) * 1000,
    engineResidentMiB: (figures['incipit_engine_resident_bytes'] ?? Number.NaN) / 2 ** 20,
    engineBudgetMiB: (figures['incipit_engine_budget_bytes'] ?? Number.NaN) / 2 ** 20,
  }
  console.log(JSON.stringify(result, null, flags.json ? 0 : 2))
}
