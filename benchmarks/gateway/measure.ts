import type { AgentBody } from './agent-body.ts'
import type { Cell } from './cells.ts'
import { answerOf } from './cells.ts'
import type { Gateway } from './gateways.ts'
import { load } from './load.ts'
import type { MockUpstream } from './mock-upstream.ts'
import type { CoreTicks } from './process-figures.ts'
import { coreTicks, cpuNanoseconds, residentBytes } from './process-figures.ts'

/** One gateway in one cell in one round. */
export interface Reading {
  readonly cell: Cell
  readonly round: number
  readonly gateway: string
  /** Answered in the measured time. */
  readonly requests: number
  readonly perSecond: number
  /** CPU time of all threads per request; `undefined` without a pid. */
  readonly cpuMicros: number | undefined
  /** CPU time of the gateway over the time that passed. */
  readonly gatewayShare: number | undefined
  /** The same of load and mock. */
  readonly loadShare: number
  /** How busy each core was, with everything that ran on it. */
  readonly coreShares: readonly number[]
  readonly totalMs: readonly number[]
  readonly firstByteMs: readonly number[]
  /** After the cell. */
  readonly residentBytes: number | undefined
}

/** What a cell is measured with. */
export interface MeasureOptions {
  readonly gateway: Gateway
  readonly mock: MockUpstream
  readonly cell: Cell
  readonly round: number
  readonly body: AgentBody
}

/**
 * Loads one gateway and reads what that took. Side effect: changes what the mock answers.
 * @throws Error when the gateway refuses or breaks a request
 */
export async function measure({ gateway, mock, cell, round, body }: MeasureOptions): Promise<Reading> {
  mock.answer = answerOf(cell)
  const { target, pid } = gateway
  let begun = state(pid)
  let ended = begun
  const { connections, rate, seconds, warmSeconds } = cell
  const result = await load({
    target,
    body,
    connections,
    warmSeconds,
    seconds,
    ...(rate !== undefined && { rate }),
    onWindow: (edge) => {
      if (edge === 'begin') begun = state(pid)
      else ended = state(pid)
    },
  })
  if (result.requests === 0) throw new Error(`${target.name}: no answer in ${seconds} s; give --seconds more`)
  const passed = ended.at - begun.at
  const used =
    ended.gatewayMicros === undefined || begun.gatewayMicros === undefined
      ? undefined
      : ended.gatewayMicros - begun.gatewayMicros
  return {
    cell,
    round,
    gateway: target.name,
    requests: result.requests,
    perSecond: result.requests / result.seconds,
    cpuMicros: used === undefined ? undefined : used / result.requests,
    gatewayShare: used === undefined ? undefined : used / passed,
    loadShare: (ended.loadMicros - begun.loadMicros) / passed,
    coreShares: ended.cores.map((core, index) => busyShare(begun.cores[index], core)),
    totalMs: result.totalMs,
    firstByteMs: result.firstByteMs,
    residentBytes: pid === undefined ? undefined : residentBytes(pid).now,
  }
}

interface State {
  /** Microseconds of a steady clock. */
  readonly at: number
  readonly gatewayMicros: number | undefined
  readonly loadMicros: number
  readonly cores: readonly CoreTicks[]
}

function state(pid: number | undefined): State {
  const { user, system } = process.cpuUsage()
  return {
    at: performance.now() * 1000,
    gatewayMicros: pid === undefined ? undefined : cpuNanoseconds(pid) / 1000,
    loadMicros: user + system,
    cores: coreTicks(),
  }
}

function busyShare(before: CoreTicks | undefined, after: CoreTicks): number {
  if (before === undefined || after.total === before.total) return Number.NaN
  return (after.busy - before.busy) / (after.total - before.total)
}
