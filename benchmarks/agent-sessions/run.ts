import { startEngine } from '@incipit/engine'
import type { ChatMessage, GenerationRequest } from '@incipit/core'
import { greedySampling } from '@incipit/core'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import OpenAI from 'openai'
import { startServerProcess } from '../support/server-process.ts'
import { spread } from '../support/statistics.ts'
import { table } from '../support/table.ts'
import { IdealPrefix } from './ideal-prefix.ts'
import type { RecordedRequest } from './read-sessions.ts'
import { readSessions } from './read-sessions.ts'

/** One replayed request, as the client and the ledger saw it. Times in milliseconds. */
interface Replayed {
  readonly session: string
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly idealTokens: number
  /** Prompt tokens as the engine counted them when it evaluated them. */
  readonly evaluatedTokens: number
  readonly ttftMs: number
}

const minCachedTokens = 16
const trace = fileURLToPath(new URL('../../../fixtures/traces/miniswe_text_dev.jsonl.gz', import.meta.url))

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    interleave: { type: 'boolean', default: false },
    sessions: { type: 'string' },
    file: { type: 'string', default: trace },
  },
})

const requests = selectSessions(
  readSessions(flags.file),
  flags.sessions === undefined ? Infinity : Number(flags.sessions),
)
const ideals = await idealTokens(requests)
const replayed = await replay(requests, ideals)
console.log(flags.json ? JSON.stringify(report(replayed), null, 2) : describe(replayed))
if (replayed.some((request) => request.cachedTokens !== request.promptTokens - request.evaluatedTokens)) {
  console.error('a request reported cached tokens that the engine evaluated')
  process.exitCode = 1
}

async function replay(all: readonly RecordedRequest[], ideal: readonly number[]): Promise<Replayed[]> {
  const server = await startServerProcess()
  try {
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 0, timeout: 600_000 })
    const done: Replayed[] = []
    for (const [index, request] of all.entries()) {
      done.push(await replayOne(client, server.url, request, ideal[index] ?? 0))
      progress(`replayed ${index + 1} of ${all.length} requests`)
    }
    progress('')
    return done
  } finally {
    await server.stop()
  }
}

async function replayOne(
  client: OpenAI,
  url: string,
  request: RecordedRequest,
  idealTokens: number,
): Promise<Replayed> {
  const started = performance.now()
  const { data: stream, response } = await client.chat.completions
    .create(
      {
        model: 'demo',
        messages: [{ role: 'user', content: request.prompt }],
        max_tokens: 16,
        stream: true,
        stream_options: { include_usage: true },
      },
      { headers: { 'x-session-affinity': request.session } },
    )
    .withResponse()
  let ttftMs: number | undefined
  let usage: OpenAI.CompletionUsage | undefined
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content) ttftMs ??= performance.now() - started
    if (chunk.usage) usage = chunk.usage
  }
  if (usage === undefined) throw new Error('the stream carried no usage')
  const event = await ledgerEvent(url, response.headers.get('x-incipit-request-id') ?? '')
  return {
    session: request.session,
    promptTokens: usage.prompt_tokens,
    cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? Number.NaN,
    idealTokens,
    evaluatedTokens: event.evaluated_tokens ?? Number.NaN,
    ttftMs: ttftMs ?? performance.now() - started,
  }
}

async function ledgerEvent(url: string, id: string): Promise<{ readonly evaluated_tokens: number | null }> {
  const answer = await fetch(`${url}/v1/events/${id}?fields=evaluated_tokens`)
  return (await answer.json()) as { evaluated_tokens: number | null } // the field just asked for
}

/** Token prefixes are compared outside the server, by an engine of this process that only tokenises. */
async function idealTokens(all: readonly RecordedRequest[]): Promise<number[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'incipit-ideal-'))
  const started = await startEngine({
    models: [{ name: 'demo', path: 'builtin:demo', aliases: [] }],
    dataDir,
    threads: 1,
    hotBytes: 'auto',
    ramBytes: 0,
    diskBytes: 0,
    flashAttention: 'auto',
    minCachedTokens,
    maxConcurrent: 1,
    maxQueued: 1,
  })
  if (started.kind === 'unavailable') throw new Error(started.reason)
  try {
    const ideal = new IdealPrefix(minCachedTokens)
    const found: number[] = []
    for (const request of all) {
      found.push(ideal.next(await started.engine.tokenize('demo', generationOf(request.prompt))))
      progress(`tokenised ${found.length} of ${all.length} prompts`)
    }
    return found
  } finally {
    await started.engine.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

function generationOf(content: string): GenerationRequest {
  const message: ChatMessage = { role: 'user', content }
  return {
    messages: [message],
    tools: [],
    toolChoice: 'auto',
    parallelToolCalls: true,
    format: undefined,
    sampling: greedySampling,
    maxTokens: 16,
    stop: [],
    topLogprobs: undefined,
  }
}

function selectSessions(all: readonly RecordedRequest[], count: number): RecordedRequest[] {
  const names = [...new Set(all.map((request) => request.session))].slice(0, count)
  const sessions = names.map((name) => all.filter((request) => request.session === name))
  if (!flags.interleave) return sessions.flat()
  const longest = Math.max(...sessions.map((session) => session.length))
  return Array.from({ length: longest }, (_, turn) => sessions.flatMap((session) => session[turn] ?? [])).flat()
}

function report(all: readonly Replayed[]): object {
  const sessions = [...new Set(all.map((request) => request.session))]
  return {
    total: totals(all),
    sessions: sessions.map((session) => ({ session, ...totals(all.filter((one) => one.session === session)) })),
    requests: all,
  }
}

function totals(all: readonly Replayed[]) {
  const sum = (field: 'promptTokens' | 'cachedTokens' | 'idealTokens' | 'evaluatedTokens'): number =>
    all.reduce((total, request) => total + request[field], 0)
  const cold = all.filter((request) => request.cachedTokens < request.promptTokens / 2).map((request) => request.ttftMs)
  const warm = all
    .filter((request) => request.cachedTokens >= request.promptTokens / 2)
    .map((request) => request.ttftMs)
  return {
    requests: all.length,
    promptTokens: sum('promptTokens'),
    cachedTokens: sum('cachedTokens'),
    idealTokens: sum('idealTokens'),
    evaluatedTokens: sum('evaluatedTokens'),
    shareOfIdeal: sum('idealTokens') === 0 ? null : sum('cachedTokens') / sum('idealTokens'),
    ttftColdMs: cold.length === 0 ? null : spread(cold),
    ttftWarmMs: warm.length === 0 ? null : spread(warm),
  }
}

function describe(all: readonly Replayed[]): string {
  const groups: [string, readonly Replayed[]][] = [...new Set(all.map((request) => request.session))].map((session) => [
    session.slice(0, 8),
    all.filter((request) => request.session === session),
  ])
  const rows = [...groups, ['total', all] as [string, readonly Replayed[]]].map(([name, group]) => {
    const sums = totals(group)
    return [
      name,
      sums.requests,
      sums.promptTokens,
      sums.cachedTokens,
      sums.idealTokens,
      sums.shareOfIdeal === null ? '-' : `${(sums.shareOfIdeal * 100).toFixed(2)} %`,
      sums.evaluatedTokens,
      sums.ttftColdMs === null ? '-' : `${sums.ttftColdMs.p50.toFixed(0)} (${sums.ttftColdMs.count})`,
      sums.ttftWarmMs === null ? '-' : `${sums.ttftWarmMs.p50.toFixed(0)} (${sums.ttftWarmMs.count})`,
    ]
  })
  const headings = [
    'session',
    'requests',
    'prompt',
    'cached',
    'ideal',
    'of ideal',
    'evaluated',
    'TTFT cold ms',
    'TTFT warm ms',
  ]
  return `${table(headings, rows)}\n\nTokens; TTFT is the median with the number of requests. Cold: less than half of the prompt was cached.`
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
}
