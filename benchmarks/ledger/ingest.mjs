// How many events a second the embedded ledger takes. Run: npm run build && node benchmarks/ledger/ingest.mjs [events]
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openDatabase } from '../../packages/gateway/dist/ledger/driver.js'
import { insertEvent } from '../../packages/gateway/dist/ledger/event-queries.js'
import { toRow } from '../../packages/gateway/dist/ledger/event-row.js'
import { openLedgerFile } from '../../packages/gateway/dist/ledger/ledger-file.js'
import { openSqliteLedger } from '../../packages/gateway/dist/ledger/sqlite-ledger.js'

const total = Number(process.argv[2] ?? 50_000)
const folder = mkdtempSync(join(tmpdir(), 'incipit-ingest-'))

function eventOf(number) {
  return {
    id: `req_${String(number).padStart(24, '0')}`,
    kind: 'request',
    at: 1_700_000_000_000 + number * 3,
    org: `org-${number % 7}`,
    keyName: 'web',
    session: `ses_${(number * 2_654_435_761) % 5_000}`,
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
  }
}

/** `lanes` requests at a time, each of which records its event and waits until that is done. */
async function throughWorker(lanes) {
  const file = join(folder, `worker-${lanes}.db`)
  const ledger = await openSqliteLedger({ file })
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await ledger.record(eventOf(total)) // what the first row costs is no part of this
  const begun = performance.now()
  const loopBegun = performance.eventLoopUtilization()
  const cpuBegun = process.cpuUsage()
  let next = 0
  const lane = async () => {
    while (next < total) await ledger.record(eventOf(next++))
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  const elapsedMs = performance.now() - begun
  const busyMs = performance.eventLoopUtilization(loopBegun).active
  delay.disable()
  const questionBegun = performance.now()
  const totals = await ledger.totals({ org: 'org-3' })
  const totalsMs = performance.now() - questionBegun
  const storedMs = performance.now() - begun
  const cpu = process.cpuUsage(cpuBegun)
  await ledger.close()
  return {
    'rows per tick': lanes,
    'recorded/s': Math.round((total / elapsedMs) * 1_000),
    'stored/s': Math.round((total / storedMs) * 1_000),
    'server thread us/event': Number(((busyMs / total) * 1_000).toFixed(1)),
    'all threads us/event': Number(((cpu.user + cpu.system) / total).toFixed(1)),
    'loop delay p99 ms': Number((delay.percentile(99) / 1e6).toFixed(1)),
    'bytes/event': Math.round(statSync(file).size / total),
    'totals of one org ms': Number(totalsMs.toFixed(1)),
    'requests of that org': totals.requests,
  }
}

/** How long `record` takes when a request comes every few milliseconds, and what all threads spend on it. */
async function atLowRate(perSecond, seconds) {
  const file = join(folder, `slow-${perSecond}.db`)
  const ledger = await openSqliteLedger({ file })
  for (let warm = 0; warm < 200; warm++) await ledger.record(eventOf(1_000_000 + warm))
  await ledger.totals({})
  const took = []
  const cpuBegun = process.cpuUsage()
  const begun = performance.now()
  for (let number = 0; number < perSecond * seconds; number++) {
    const due = begun + (number * 1_000) / perSecond
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
    const event = eventOf(number)
    const asked = performance.now()
    await ledger.record(event)
    took.push(performance.now() - asked)
  }
  await ledger.totals({})
  const cpu = process.cpuUsage(cpuBegun)
  await ledger.close()
  took.sort((a, b) => a - b)
  const at = (share) => Math.round((took[Math.floor(took.length * share)] ?? 0) * 1_000)
  return {
    'rows/s': perSecond,
    'p50 us': at(0.5),
    'p90 us': at(0.9),
    'p99 us': at(0.99),
    'all threads us/event, timers included': Math.round((cpu.user + cpu.system) / took.length),
  }
}

/** The floor: the same rows and indexes, inserted by one thread that does nothing else. */
async function direct(perTransaction) {
  const file = join(folder, `direct-${perTransaction}.db`)
  const database = await openLedgerFile({ file, busyMs: 1_000, maxBytes: undefined, role: 'writer', opening: 'floor' })
  const insert = database.prepare(insertEvent)
  const begun = performance.now()
  for (let first = 0; first < total; first += perTransaction) {
    database.transaction(() => {
      for (let number = first; number < Math.min(total, first + perTransaction); number++)
        insert.run(toRow(eventOf(number)))
    })
  }
  const perSecond = Math.round((total / (performance.now() - begun)) * 1_000)
  database.close()
  return { 'rows per transaction': perTransaction, 'events/s': perSecond }
}

try {
  const probe = await openDatabase({ file: join(folder, 'probe.db'), busyMs: 1 })
  console.log(`Node ${process.versions.node}, ${probe.driver}, ${total} events`)
  probe.close()
  const worker = []
  const floor = []
  for (const size of [1, 16, 64, 256]) {
    worker.push(await throughWorker(size))
    floor.push(await direct(size))
  }
  console.log('through the ledger, each record awaited:')
  console.table(worker)
  console.log('latency of record at a low rate:')
  console.table([await atLowRate(100, 8), await atLowRate(300, 8)])
  console.log('floor: the same rows on the thread of the database:')
  console.table(floor)
} finally {
  rmSync(folder, { recursive: true })
}
