import type { Spread } from '../support/statistics.ts'
import { spread } from '../support/statistics.ts'
import type { Cell } from './cells.ts'
import type { Reading } from './measure.ts'
import { quantile } from './quantile.ts'

/** A limit and whether the median keeps it; only ours has one. */
export interface Bar {
  readonly most: number
  readonly kept: boolean
}

/** CPU time per request of one gateway in one saturated cell. */
export interface CpuFigure {
  readonly cell: Cell
  readonly gateway: string
  readonly micros: Spread | undefined
  /** Round by round. */
  readonly overBare: Spread | undefined
  readonly bar: Bar | undefined
  readonly perSecond: number
  readonly gatewayShare: number | undefined
  readonly loadShare: number
  readonly coreShares: readonly number[]
}

/** What each further KB of request costs. */
export interface SlopeFigure {
  readonly gateway: string
  readonly fromKilobytes: number
  readonly toKilobytes: number
  readonly microsPerKilobyte: Spread
  readonly bar: Bar | undefined
}

/** Milliseconds of one gateway in one cell at a fixed rate: until the last byte, or the first of a stream. */
export interface DelayFigure {
  readonly cell: Cell
  readonly gateway: string
  readonly p50: Spread
  /** Of the requests of all rounds together. */
  readonly p99: number
  readonly requests: number
  /** Medians minus that of no gateway at all, round by round. */
  readonly added: Spread | undefined
  /** Medians minus that of the bare proxy, round by round. */
  readonly overBare: Spread | undefined
  /** What is added over what the bare proxy adds, round by round. */
  readonly addedRatio: Spread | undefined
  readonly bar: Bar | undefined
  readonly cpuMicros: Spread | undefined
}

/** @example cpuFigures(readings) */
export function cpuFigures(readings: readonly Reading[]): CpuFigure[] {
  return groups(readings, 'saturated').map(({ cell, gateway, rounds }) => {
    const bare = ofGateway(readings, cell, 'bare')
    const overBare = pairs(rounds, bare, (own, other) => ratio(own.cpuMicros, other.cpuMicros))
    return {
      cell,
      gateway,
      micros: spreadOf(rounds.map((reading) => reading.cpuMicros)),
      overBare,
      bar: barOf(gateway, cell.kilobytes <= 20 ? 1.8 : 2.2, overBare),
      perSecond: middle(rounds.map((reading) => reading.perSecond)),
      gatewayShare: spreadOf(rounds.map((reading) => reading.gatewayShare))?.p50,
      loadShare: middle(rounds.map((reading) => reading.loadShare)),
      coreShares: (rounds[0]?.coreShares ?? []).map((_, core) =>
        middle(rounds.map((reading) => reading.coreShares[core] ?? Number.NaN)),
      ),
    }
  })
}

/** Between 20 KB (or the least size above it) and the largest, JSON answers; none with fewer than two sizes. */
export function slopeFigures(readings: readonly Reading[]): SlopeFigure[] {
  const json = groups(readings, 'saturated').filter(({ cell }) => cell.answer === 'json' && cell.kilobytes >= 20)
  const sizes = json.map(({ cell }) => cell.kilobytes)
  const [from, to] = [Math.min(...sizes), Math.max(...sizes)]
  if (json.length === 0 || from === to) return []
  return [...new Set(json.map(({ gateway }) => gateway))].flatMap((gateway) => {
    const of = (kilobytes: number): readonly Reading[] =>
      json.find((group) => group.gateway === gateway && group.cell.kilobytes === kilobytes)?.rounds ?? []
    const slope = pairs(of(to), of(from), (large, small) =>
      large.cpuMicros === undefined || small.cpuMicros === undefined
        ? undefined
        : (large.cpuMicros - small.cpuMicros) / (to - from),
    )
    if (slope === undefined) return []
    const bar = barOf(gateway, 3, slope)
    return [{ gateway, fromKilobytes: from, toKilobytes: to, microsPerKilobyte: slope, bar }]
  })
}

/** @example delayFigures(readings, 'latency') */
export function delayFigures(readings: readonly Reading[], kind: 'latency' | 'first byte'): DelayFigure[] {
  const samples = (reading: Reading): readonly number[] => (kind === 'latency' ? reading.totalMs : reading.firstByteMs)
  const p50 = (reading: Reading): number => quantile(samples(reading), 0.5) ?? Number.NaN
  return groups(readings, kind).map(({ cell, gateway, rounds }) => {
    const direct = ofGateway(readings, cell, 'direct')
    const bare = gateway === 'direct' ? [] : ofGateway(readings, cell, 'bare')
    const added = pairs(rounds, direct, (own, none) => p50(own) - p50(none))
    const overBare = pairs(rounds, bare, (own, other) => p50(own) - p50(other))
    const bareAdded = new Map(
      bare.map((reading) => {
        const none = direct.find((other) => other.round === reading.round)
        return [reading.round, none === undefined ? undefined : p50(reading) - p50(none)]
      }),
    )
    const addedRatio = pairs(gateway === 'bare' ? [] : rounds, direct, (own, none) =>
      ratio(p50(own) - p50(none), bareAdded.get(own.round)),
    )
    const pooled = rounds.flatMap(samples)
    return {
      cell,
      gateway,
      p50: spread(rounds.map(p50)),
      p99: quantile(pooled, 0.99) ?? Number.NaN,
      requests: pooled.length,
      added,
      overBare,
      addedRatio,
      bar:
        kind === 'first byte'
          ? barOf(gateway, 2, addedRatio)
          : cell.rate === 300
            ? barOf(gateway, 0.2, overBare)
            : undefined,
      cpuMicros: spreadOf(rounds.map((reading) => reading.cpuMicros)),
    }
  })
}

interface Group {
  readonly cell: Cell
  readonly gateway: string
  readonly rounds: readonly Reading[]
}

function groups(readings: readonly Reading[], kind: Cell['kind']): Group[] {
  const ofKind = readings.filter((reading) => reading.cell.kind === kind)
  const gateways = [...new Set(ofKind.map((reading) => reading.gateway))]
  return [...new Set(ofKind.map((reading) => reading.cell))].flatMap((cell) =>
    gateways.map((gateway) => ({ cell, gateway, rounds: ofGateway(ofKind, cell, gateway) })),
  )
}

function ofGateway(readings: readonly Reading[], cell: Cell, gateway: string): Reading[] {
  return readings.filter((reading) => reading.cell === cell && reading.gateway === gateway)
}

/** Compares what ran in the same round, where the machine was in the same mood; nothing with itself. */
function pairs(
  own: readonly Reading[],
  others: readonly Reading[],
  compare: (own: Reading, other: Reading) => number | undefined,
): Spread | undefined {
  return spreadOf(
    own.map((reading) => {
      const other = others.find((candidate) => candidate.round === reading.round)
      return other === undefined || other === reading ? undefined : compare(reading, other)
    }),
  )
}

function barOf(gateway: string, most: number, figure: Spread | undefined): Bar | undefined {
  return gateway === 'incipit' && figure !== undefined ? { most, kept: figure.p50 <= most } : undefined
}

function ratio(own: number | undefined, other: number | undefined): number | undefined {
  return own === undefined || other === undefined ? undefined : own / other
}

function spreadOf(values: readonly (number | undefined)[]): Spread | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : spread(known)
}

function middle(values: readonly number[]): number {
  return spread(values).p50
}
