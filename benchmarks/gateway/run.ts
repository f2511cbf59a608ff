import { mkdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { AgentBody } from './agent-body.ts'
import { agentBody } from './agent-body.ts'
import type { Cell } from './cells.ts'
import { cellName, planCells } from './cells.ts'
import { checkRelay } from './check-relay.ts'
import { describe } from './describe.ts'
import type { Gateway } from './gateways.ts'
import { directly, runningGateway, startBare, startIncipit } from './gateways.ts'
import type { Reading } from './measure.ts'
import { measure } from './measure.ts'
import { MockUpstream } from './mock-upstream.ts'
import { pinToCore } from './process-figures.ts'
import { quantile } from './quantile.ts'
import { reportOf } from './report.ts'

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: 'bare,incipit' },
    sizes: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    gateway: { type: 'string', multiple: true, default: [] },
    header: { type: 'string', multiple: true, default: [] },
    'mock-port': { type: 'string', default: '0' },
    profile: { type: 'string' },
  },
})

const [gatewayCore, loadCore] = [0, 1]
const quick = flags.quick
const seconds = positive('seconds', flags.seconds ?? (quick ? '0.5' : '1'))
const rounds = positive('rounds', flags.rounds ?? (quick ? '2' : '7'))
const sizes = (flags.sizes ?? (quick ? '1,20,200' : '1,20,200,2048')).split(',').map((size) => positive('sizes', size))
const warmUpSeconds = quick ? 1 : 3
const bodies = new Map<string, AgentBody>()

if (process.platform !== 'linux') throw new Error('reads /proc: runs on Linux only')
const mock = await MockUpstream.listen(Number(flags['mock-port']))
const gateways: Gateway[] = []
try {
  gateways.push(...flags.gateway.map((text) => runningGateway(text, headersFor(text))))
  for (const name of flags.only.split(',').filter((name) => name !== '')) gateways.push(await start(name))
  pin()
  const checks = []
  for (const { target } of gateways) checks.push(...(await checkRelay(target, mock)))
  const readings = await measureAll(planCells({ sizes, seconds, quick }))
  const report = reportOf(readings, checks, gateways)
  if (flags.json)
    print({ machine: machine(), settings: { sizes, rounds, seconds }, ...report, readings: raw(readings) })
  else console.log(describe(report))
} finally {
  for (const gateway of gateways) await gateway.stop()
  await mock.close()
}

async function start(name: string): Promise<Gateway> {
  const execArgv = profiling(name)
  if (name === 'bare') return startBare(mock.url, execArgv)
  if (name !== 'incipit') throw new RangeError(`--only "${name}": allowed are bare and incipit`)
  try {
    return await startIncipit(mock.url, execArgv)
  } catch (error) {
    throw new Error('incipit did not start with one upstream (--only bare measures without it)', { cause: error })
  }
}

/** A profile of each gateway, written when it ends; its figures are those of a profiled program. */
function profiling(name: string): string[] {
  if (flags.profile === undefined) return []
  const folder = resolve(flags.profile, name)
  mkdirSync(folder, { recursive: true })
  progress(`${name} writes its profile to ${folder}`)
  return ['--cpu-prof', '--cpu-prof-dir', folder]
}

function pin(): void {
  if (cpus().length < 2) {
    progress('only one core: gateway and load share it, so that latencies mean little')
    return
  }
  const pinned = gateways.flatMap(({ pid }) => (pid === undefined ? [] : [pinToCore(pid, gatewayCore)]))
  if (pinToCore(process.pid, loadCore) && pinned.every(Boolean)) return
  progress('no taskset, or it refused: nothing is pinned to a core, so that figures move more')
}

/** Every gateway in every cell of every round, in turn; the order turns round with the rounds. */
async function measureAll(cells: readonly Cell[]): Promise<Reading[]> {
  for (const gateway of gateways) await warmUp(gateway, cells)
  const readings: Reading[] = []
  for (let round = 0; round < rounds; round++) {
    for (const cell of cells) {
      // What no gateway at all takes is only asked where times are compared, not CPU.
      const all = cell.kind === 'saturated' ? gateways : [directly(mock.url), ...gateways]
      for (const gateway of round % 2 === 0 ? all : all.toReversed()) {
        const reading = await measure({ gateway, mock, cell, round, body: bodyOf(cell) })
        readings.push(reading)
        progress(`round ${round + 1} of ${rounds}: ${cellName(cell)}: ${inBrief(reading)}`)
      }
    }
  }
  return readings
}

/** Code must be compiled and heaps grown before the first round, or it measures that. */
async function warmUp(gateway: Gateway, cells: readonly Cell[]): Promise<void> {
  progress(`warming up ${gateway.target.name}`)
  const saturated = cells.filter((cell) => cell.kind === 'saturated')
  for (const cell of saturated) {
    const warm: Cell = { ...cell, seconds: warmUpSeconds / saturated.length, warmSeconds: 0.1 }
    await measure({ gateway, mock, cell: warm, round: -1, body: bodyOf(cell) })
  }
}

function bodyOf({ kilobytes, answer }: Cell): AgentBody {
  const key = `${answer} ${kilobytes}`
  const body = bodies.get(key) ?? agentBody({ bytes: Math.round(kilobytes * 1024), stream: answer === 'sse', seed: 1 })
  bodies.set(key, body)
  return body
}

function inBrief({ cell, gateway, cpuMicros, perSecond, totalMs, firstByteMs }: Reading): string {
  const cpu = cpuMicros === undefined ? '' : `${cpuMicros.toFixed(0)} us CPU, `
  const [what, times] = cell.kind === 'first byte' ? ['first byte', firstByteMs] : ['answer', totalMs]
  const p50 = ((quantile(times, 0.5) ?? Number.NaN) * 1000).toFixed(0)
  return `${gateway} ${cpu}${perSecond.toFixed(0)}/s, ${what} p50 ${p50} us`
}

/** Without the time of every request, which nobody reads. */
function raw(readings: readonly Reading[]): object[] {
  const tail = (values: readonly number[]): object => ({ p50: quantile(values, 0.5), p99: quantile(values, 0.99) })
  return readings.map((reading) => ({
    ...reading,
    cell: cellName(reading.cell),
    totalMs: tail(reading.totalMs),
    firstByteMs: tail(reading.firstByteMs),
  }))
}

function headersFor(gateway: string): string[] {
  const name = gateway.slice(0, gateway.indexOf('='))
  return flags.header.filter((header) => header.startsWith(`${name}=`)).map((header) => header.slice(name.length + 1))
}

function machine(): object {
  return { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version }
}

function positive(flag: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value > 0)) throw new RangeError(`--${flag} "${text}": allowed is a number above 0`)
  return value
}

function print(value: object): void {
  console.log(JSON.stringify(value, null, 2))
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`)
}
