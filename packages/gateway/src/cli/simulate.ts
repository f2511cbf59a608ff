import type { CachePolicyName, CacheQuestion, CacheTotals } from '@incipit/core'
import { BlockChains, cachePolicyNames, shareOfGap, simulatePolicy, TraceError } from '@incipit/core'
import { Command, InvalidArgumentError, Option } from 'commander'
import { isatty } from 'node:tty'
import { openTrace } from '../simulate/open-trace.ts'

interface CacheFlags {
  readonly trace: string
  readonly block: number
  readonly capacityBlocks: number
  readonly policy?: CachePolicyName
  readonly json?: boolean
}

/** Adds `incipit simulate cache` to the command line. */
export function registerSimulate(program: Command): void {
  program
    .command('simulate')
    .description('replay a trace of requests and see what a cache would have done')
    .addCommand(
      new Command('cache')
        .description('how much of the input a prefix cache of a given size serves, under one policy or all')
        .exitOverride()
        .requiredOption('--trace <file>', 'requests, one JSON object per line, plain or gzip: docs/eviction.md')
        .option('--block <tokens>', 'tokens per block, a multiple of those of the trace', whole('--block', 1e6), 512)
        .requiredOption('--capacity-blocks <number>', 'blocks the cache holds', whole('--capacity-blocks', 1e8))
        .addOption(
          new Option('--policy <name>', 'which block goes; without it: all, and the share of what is possible').choices(
            cachePolicyNames,
          ),
        )
        .option('--json', 'print data as JSON')
        .action((flags: CacheFlags) => runSimulateCache(flags)),
    )
}

async function runSimulateCache(flags: CacheFlags): Promise<void> {
  const progress = terminalProgress()
  const question = { ...flags, requests: await readRequests(flags, progress) }
  const names = flags.policy === undefined ? cachePolicyNames : [flags.policy]
  const results = new Map<CachePolicyName, CacheTotals>()
  for (const name of names) results.set(name, runPolicy(name, question, progress))
  progress('')
  process.stdout.write(flags.json === true ? renderJson(results, flags.policy) : renderTable(results, question))
}

async function readRequests(
  { trace, block }: CacheFlags,
  progress: (text: string) => void,
): Promise<CacheQuestion['requests']> {
  const chains = new BlockChains(block)
  const requests = []
  for await (const request of openTrace(trace)) {
    try {
      requests.push(chains.add(request))
    } catch (error) {
      throw error instanceof TraceError ? new TraceError(`--block ${block}: ${error.message}`) : error
    }
    if (requests.length % 256 === 0) progress(`${requests.length} requests read`)
  }
  return requests
}

function runPolicy(name: CachePolicyName, question: CacheQuestion, progress: (text: string) => void): CacheTotals {
  const all = question.requests.length
  return simulatePolicy(name, question, (done) => progress(`${name}: ${done} of ${all} requests`))
}

function renderJson(results: ReadonlyMap<CachePolicyName, CacheTotals>, only: CachePolicyName | undefined): string {
  const one = only === undefined ? undefined : results.get(only)
  const data = one === undefined ? jsonOfAll(results) : jsonOf(one)
  return `${JSON.stringify(data, null, 2)}\n`
}

function jsonOf({ requests, inputTokens, hitTokens, hitRatio }: CacheTotals): object {
  return { requests, input_tokens: inputTokens, hit_tokens: hitTokens, hit_ratio: hitRatio ?? null }
}

function jsonOfAll(results: ReadonlyMap<CachePolicyName, CacheTotals>): object {
  const policies = [...results].map(([name, totals]) => [name, jsonOf(totals)] as const)
  return { ...Object.fromEntries(policies), share_of_gap: incipitShare(results) ?? null }
}

function incipitShare(results: ReadonlyMap<CachePolicyName, CacheTotals>): number | undefined {
  const ratio = (name: CachePolicyName): number | undefined => results.get(name)?.hitRatio
  return shareOfGap({ lru: ratio('lru'), policy: ratio('incipit'), min: ratio('min') })
}

function renderTable(results: ReadonlyMap<CachePolicyName, CacheTotals>, question: CacheQuestion): string {
  const { requests = 0, inputTokens = 0 } = [...results.values()][0] ?? {}
  const { block, capacityBlocks } = question
  const lines = [
    `${count(requests)} requests, ${count(inputTokens)} input tokens; a cache of ${count(capacityBlocks)} blocks of ${count(block)} tokens`,
    '',
    'policy       hit tokens  per token',
    ...[...results].map(([name, { hitTokens, hitRatio }]) =>
      [name.padEnd(7), count(hitTokens).padStart(15), percent(hitRatio).padStart(10)].join(' '),
    ),
  ]
  if (results.size > 1) {
    const share = incipitShare(results)
    lines.push(
      '',
      share === undefined
        ? 'min reaches no more than lru here'
        : `incipit: ${percent(share)} of the way from lru to min, which knows the future`,
    )
  }
  return `${lines.join('\n')}\n`
}

const count = (value: number): string => value.toLocaleString('en')

function percent(ratio: number | undefined): string {
  return ratio === undefined ? '-' : `${(100 * ratio).toFixed(2)} %`
}

/** Replaces one line on a terminal; nothing elsewhere. */
function terminalProgress(): (text: string) => void {
  if (!isatty(2)) return () => {}
  return (text) => void process.stderr.write(`\r\u001b[K${text}`)
}

function whole(flag: string, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN
    if (value >= 1 && value <= most) return value
    throw new InvalidArgumentError(`${flag} must be a whole number from 1 to ${most}, got "${text}"`)
  }
}
