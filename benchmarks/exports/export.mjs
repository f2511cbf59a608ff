// What an export costs the gateway. Run: npm run build && node benchmarks/exports/export.mjs [events]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteLedger } from '../../packages/gateway/dist/ledger/sqlite-ledger.js'
import { startServerProcess } from '../dist/support/server-process.js'

const total = Number(process.argv[2] ?? 200_000)
const dataDir = mkdtempSync(join(tmpdir(), 'incipit-exports-'))
const mib = (bytes) => Number((bytes / 2 ** 20).toFixed(1))

function eventOf(number) {
  return {
    id: `req_${number.toString(16).padStart(24, '0')}`,
    kind: 'request',
    at: 1_700_000_000_000 + number * 3_000,
    org: `org-${number % 7}`,
    keyName: 'web',
    session: `ses_${String((number * 2_654_435_761) % 5_000).padStart(32, '0')}`,
    scopeKey: 'f'.repeat(64),
    dialect: 'anthropic-messages',
    upstream: 'claude',
    model: `model-${number % 5}`,
    servedModel: `model-${number % 5}-20260101`,
    stream: true,
    configGeneration: 1,
    configHash: 'c0ffee00',
    wireHash: '00ff00ff00ff00ff',
    usage: { fresh: 120, read: 9_000, write5m: 300, output: 250 },
    rawUsage:
      '{"input_tokens":120,"cache_read_input_tokens":9000,"cache_creation_input_tokens":300,"output_tokens":250}',
    inputTokens: 9_420,
    cachedInputTokens: 9_000,
    expectedTokens: 9_000,
    prefixCache: 'on',
    edits: ['inject-usage'],
    warnings: [],
    ttftMs: 412.25,
    totalMs: 3_120.5,
    status: 200,
    cost: 12_345_678_000n,
    counterfactual: 47_100_000_000n,
  }
}

async function seed() {
  const ledger = await openSqliteLedger({ file: join(dataDir, 'incipit.db') })
  for (let first = 0; first < total; first += 2_000) {
    const batch = Array.from({ length: Math.min(2_000, total - first) }, (_, index) => eventOf(first + index))
    await Promise.all(batch.map((event) => ledger.record(event)))
  }
  await ledger.totals({})
  await ledger.close()
}

function residentBytes(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024
}

/** The highest figure of a window that this begins. */
async function loopDelayMs(server) {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  const worst = /^incipit_event_loop_delay_seconds\{quantile="(?:1|max)"\} (\S+)$/m.exec(text)?.[1]
  const p99 = /^incipit_event_loop_delay_seconds\{quantile="0\.99"\} (\S+)$/m.exec(text)?.[1]
  return { p99: Number(p99) * 1_000, worst: Number(worst) * 1_000 }
}

/** One export, read as fast as possible or `pauseMs` after each 64 KiB. */
async function exported(server, query, pauseMs = 0) {
  await loopDelayMs(server)
  const before = residentBytes(server.pid)
  let highest = before
  const watch = setInterval(() => (highest = Math.max(highest, residentBytes(server.pid))), 10)
  const begun = performance.now()
  let bytes = 0
  let lines = 0
  const answer = await new Promise((resolve, reject) => {
    get(`${server.url}/v1/events?${query}`, resolve).on('error', reject)
  })
  for await (const chunk of answer) {
    bytes += chunk.length
    for (const byte of chunk) if (byte === 10) lines += 1
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  const seconds = (performance.now() - begun) / 1_000
  clearInterval(watch)
  const delay = await loopDelayMs(server)
  return {
    query,
    events: Number(answer.trailers['x-incipit-events']),
    lines,
    MiB: mib(bytes),
    seconds: Number(seconds.toFixed(1)),
    'events/s': Math.round(Number(answer.trailers['x-incipit-events']) / seconds),
    'resident before MiB': mib(before),
    'highest MiB': mib(highest),
    'loop delay p99 ms': Number(delay.p99.toFixed(1)),
    'worst ms': Number(delay.worst.toFixed(1)),
  }
}

try {
  await seed()
  const server = await startServerProcess({ dataDir, config: 'engine: { enabled: false }\n' })
  try {
    const rows = []
    for (const limit of [10_000, 50_000, total, total]) {
      rows.push(await exported(server, `format=csv&limit=${limit}`))
      rows.push(await exported(server, `format=jsonl&limit=${limit}`))
    }
    rows.push(await exported(server, `format=csv&fields=at,model,cached_input_tokens&limit=${total}`))
    rows.push(await exported(server, 'format=jsonl&limit=50000', 5))
    console.log(`Node ${process.versions.node}, ${total} events`)
    console.table(rows)
  } finally {
    await server.stop()
  }
} finally {
  rmSync(dataDir, { recursive: true, force: true })
}
