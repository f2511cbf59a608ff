import { cellName } from './cells.ts'
import type { RelayCheck } from './check-relay.ts'
import type { CpuFigure, DelayFigure, SlopeFigure } from './figures.ts'
import { cpuFigures, delayFigures, slopeFigures } from './figures.ts'
import type { Gateway } from './gateways.ts'
import type { Reading } from './measure.ts'
import { residentBytes } from './process-figures.ts'

/** All a run found. */
export interface Report {
  readonly checks: readonly RelayCheck[]
  readonly cpu: readonly CpuFigure[]
  readonly slope: readonly SlopeFigure[]
  readonly latency: readonly DelayFigure[]
  readonly firstByte: readonly DelayFigure[]
  readonly memory: readonly MemoryFigure[]
  readonly warnings: readonly string[]
}

/** Resident bytes of one gateway. */
export interface MemoryFigure {
  readonly gateway: string
  /** The most seen after a cell, of each round: flat, or does it climb? */
  readonly byRound: readonly number[]
  readonly most: number
  readonly atEnd: number
}

/** Sums up; call it while the gateways still run. */
export function reportOf(
  readings: readonly Reading[],
  checks: readonly RelayCheck[],
  gateways: readonly Gateway[],
): Report {
  const cpu = cpuFigures(readings)
  return {
    checks,
    cpu,
    slope: slopeFigures(readings),
    latency: delayFigures(readings, 'latency'),
    firstByte: delayFigures(readings, 'first byte'),
    memory: gateways.flatMap((gateway) => memoryOf(gateway, readings)),
    warnings: [...cpu.flatMap(warningsOf), ...disturbances(readings)],
  }
}

function memoryOf({ target, pid }: Gateway, readings: readonly Reading[]): MemoryFigure[] {
  if (pid === undefined) return []
  const own = readings.filter((reading) => reading.gateway === target.name)
  const byRound = [...new Set(own.map((reading) => reading.round))].map((round) =>
    Math.max(...own.filter((reading) => reading.round === round).map((reading) => reading.residentBytes ?? 0)),
  )
  const { now, most } = residentBytes(pid)
  return [{ gateway: target.name, byRound, most, atEnd: now }]
}

/** A core that is busy to this share has no time left for more. */
const full = 0.93
/** Less than this of a core, and the gateway was waiting for something. */
const saturated = 0.85
/** More than this of a core for what is neither gateway nor load, and the figures are not of a quiet machine. */
const disturbing = 0.2

function warningsOf(figure: CpuFigure): string[] {
  const { gatewayShare, loadShare } = figure
  // Where others took the time, the warning about all readings says so.
  if (gatewayShare === undefined || gatewayShare >= saturated || ofOthers(figure) > disturbing) return []
  const where = `${figure.gateway}, ${cellName(figure.cell)}: the gateway used ${percent(gatewayShare)} of its core`
  return loadShare >= full
    ? [`${where}, load and mock were the bottleneck: requests/s says nothing about it, CPU per request does`]
    : [`${where}, load and mock ${percent(loadShare)} of theirs: something else was waited for`]
}

function disturbances(readings: readonly Reading[]): string[] {
  const known = readings.filter((reading) => reading.gatewayShare !== undefined)
  const disturbed = known.filter((reading) => ofOthers(reading) > disturbing)
  if (disturbed.length === 0) return []
  const most = `more than ${percent(disturbing)} of a core`
  return [
    `other processes used ${most} in ${disturbed.length} of ${known.length} readings: requests/s and latencies say little, CPU per request is too high; repeat when the machine is quiet`,
  ]
}

function ofOthers({
  coreShares,
  gatewayShare = 0,
  loadShare,
}: Pick<Reading, 'coreShares' | 'gatewayShare' | 'loadShare'>): number {
  const [gatewayCore = 0, loadCore = 0] = coreShares
  return gatewayCore + loadCore - gatewayShare - loadShare
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
