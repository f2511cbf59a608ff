import type { MockAnswer } from './mock-answers.ts'
import { jsonAnswer, spacedAnswer, sseAnswer } from './mock-answers.ts'

/** One thing measured: a kind of load, the same for every gateway. */
export interface Cell {
  readonly kind: 'saturated' | 'latency' | 'first byte'
  readonly answer: 'json' | 'sse'
  readonly kilobytes: number
  readonly connections: number
  /** Requests a second; `undefined` = as many as go. */
  readonly rate: number | undefined
  readonly seconds: number
  readonly warmSeconds: number
}

/** What the flags leave open. */
export interface CellOptions {
  /** Kilobytes of request bodies. */
  readonly sizes: readonly number[]
  /** Of each saturated cell; those at a fixed rate need more for as many requests. */
  readonly seconds: number
  readonly quick: boolean
}

/** Pause between the events of a stream that is written as a model writes. */
export const gapMs = 2

const spaced = spacedAnswer(gapMs)
const slowRate = 60
const ratePerSecond: ReadonlyMap<number, number> = new Map([
  [1, 300],
  [20, 300],
  [200, slowRate],
])

/**
 * All cells in the order they run.
 * @example planCells({ sizes: [1, 20], seconds: 1, quick: false })
 */
export function planCells({ sizes, seconds, quick }: CellOptions): Cell[] {
  const atRate = { connections: 64, warmSeconds: 0.3, seconds: Math.max(1.2, 2 * seconds) }
  const saturated = (answer: 'json' | 'sse'): Cell[] =>
    sizes.map((kilobytes) => ({
      kind: 'saturated',
      answer,
      kilobytes,
      connections: kilobytes >= 1024 ? 16 : 64,
      rate: undefined,
      seconds,
      warmSeconds: 0.3,
    }))
  const latency = sizes
    .filter((kilobytes) => ratePerSecond.has(kilobytes) && (!quick || kilobytes === 20))
    .map((kilobytes): Cell => ({
      kind: 'latency',
      answer: 'json',
      kilobytes,
      rate: ratePerSecond.get(kilobytes),
      ...atRate,
    }))
  const streamed = sizes.includes(20) ? 20 : Math.min(...sizes)
  const firstByte: Cell = { kind: 'first byte', answer: 'sse', kilobytes: streamed, rate: slowRate, ...atRate }
  return [...saturated('json'), ...saturated('sse'), ...latency, firstByte]
}

/** What the mock answers in a cell. */
export function answerOf(cell: Cell): MockAnswer {
  if (cell.answer === 'json') return jsonAnswer
  return cell.kind === 'first byte' ? spaced : sseAnswer
}

/** @example cellName(cell) // "saturated, json, 20 KB" */
export function cellName(cell: Cell): string {
  const rate = cell.rate === undefined ? '' : `, ${cell.rate}/s`
  return `${cell.kind}, ${cell.answer}, ${sizeName(cell.kilobytes)}${rate}`
}

/** @example sizeName(2048) // "2 MB" */
export function sizeName(kilobytes: number): string {
  return kilobytes >= 1024 ? `${Number((kilobytes / 1024).toFixed(1))} MB` : `${kilobytes} KB`
}
