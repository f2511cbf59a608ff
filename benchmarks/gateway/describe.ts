import type { Spread } from '../support/statistics.ts'
import { table } from '../support/table.ts'
import { gapMs, sizeName } from './cells.ts'
import type { RelayCheck } from './check-relay.ts'
import type { Bar, CpuFigure, DelayFigure, SlopeFigure } from './figures.ts'
import type { Report } from './report.ts'

/** The figures of a run as text. */
export function describe(report: Report): string {
  const parts = [
    checks(report.checks),
    cpu(report.cpu),
    slope(report.slope),
    delays('Latency at a fixed rate, us', report.latency, 'over'),
    delays(`Time to the first byte of a stream, ${gapMs} ms between its events, us`, report.firstByte, 'ratio'),
    memory(report.memory),
    report.warnings.map((warning) => `warning: ${warning}`).join('\n'),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

const notKnown = '-'
const bare = 'x bare'

function checks(all: readonly RelayCheck[]): string {
  const rows = all.map(({ gateway, answer, request, answered }) => [
    gateway,
    answer,
    passage(request),
    passage(answered),
  ])
  return section('One request of 20 KB on its way', table(['gateway', 'answer', 'request', 'answered'], rows))
}

function passage({ identical, bytesBefore, bytesAfter }: RelayCheck['request']): string {
  return identical ? 'the same bytes' : `${bytesBefore} bytes became ${bytesAfter}`
}

function cpu(figures: readonly CpuFigure[]): string {
  const rows = figures.map((figure) => [
    figure.cell.answer,
    sizeName(figure.cell.kilobytes),
    figure.gateway,
    inSpread(figure.micros, 0),
    inSpread(figure.overBare, 2),
    bar(figure.bar, (most) => `<= ${most} ${bare}`),
    Math.round(figure.perSecond),
    percent(figure.gatewayShare),
    percent(figure.loadShare),
    figure.coreShares.slice(0, 2).map(percent).join(' / '),
  ])
  const headings = [
    'answer',
    'body',
    'gateway',
    'CPU us/request',
    bare,
    'bar',
    'requests/s',
    'gateway',
    'load',
    'cores 0 / 1',
  ]
  const busy = 'Gateway and load: their CPU over time passed. Cores: with all that ran on them.'
  return figures.length === 0 ? '' : `${section('CPU at saturation', table(headings, rows))}\n${busy}`
}

function slope(figures: readonly SlopeFigure[]): string {
  const [first] = figures
  if (first === undefined) return ''
  const rows = figures.map((figure) => [
    figure.gateway,
    inSpread(figure.microsPerKilobyte, 2),
    bar(figure.bar, (most) => `<= ${most}`),
  ])
  const between = `${sizeName(first.fromKilobytes)} to ${sizeName(first.toKilobytes)}`
  return section(`Slope of that, json, ${between}`, table(['gateway', 'us/KB', 'bar'], rows))
}

function delays(title: string, figures: readonly DelayFigure[], barred: 'over' | 'ratio'): string {
  const rows = figures.map((figure) => [
    `${sizeName(figure.cell.kilobytes)}, ${figure.cell.rate}/s`,
    figure.gateway,
    inSpread(micros(figure.p50), 0),
    Math.round(figure.p99 * 1000),
    inSpread(micros(figure.added), 0),
    barred === 'over' ? inSpread(micros(figure.overBare), 0) : inSpread(figure.addedRatio, 2),
    bar(figure.bar, (most) => (barred === 'over' ? `<= ${most * 1000}` : `<= ${most} ${bare}`)),
    inSpread(figure.cpuMicros, 0),
    figure.requests,
  ])
  const compared = barred === 'over' ? 'p50 over bare' : `added ${bare}`
  const headings = ['load', 'gateway', 'p50', 'p99', 'added p50', compared, 'bar', 'CPU us/request', 'requests']
  return figures.length === 0 ? '' : section(title, table(headings, rows))
}

function memory(all: Report['memory']): string {
  const rows = all.map(({ gateway, byRound, most, atEnd }) => [
    gateway,
    byRound.map((bytes) => mebibytes(bytes)).join(' '),
    mebibytes(most),
    mebibytes(atEnd),
  ])
  const headings = ['gateway', 'most after each round', 'most', 'at the end']
  return all.length === 0 ? '' : section('Resident memory, MiB', table(headings, rows))
}

function section(title: string, text: string): string {
  return `${title}\n\n${text}`
}

/** Median, then least and most. */
function inSpread(figure: Spread | undefined, digits: number): string {
  if (figure === undefined) return notKnown
  const [p50, min, max] = [figure.p50, figure.min, figure.max].map((value) => value.toFixed(digits))
  return `${p50} (${min} to ${max})`
}

function bar(figure: Bar | undefined, text: (most: number) => string): string {
  return figure === undefined ? '' : `${text(figure.most)}: ${figure.kept ? 'kept' : 'MISSED'}`
}

function micros(milliseconds: Spread | undefined): Spread | undefined {
  if (milliseconds === undefined) return undefined
  const { min, p50, p90, max, count } = milliseconds
  return { min: min * 1000, p50: p50 * 1000, p90: p90 * 1000, max: max * 1000, count }
}

function percent(share: number | undefined): string {
  return share === undefined ? notKnown : `${Math.round(share * 100)} %`
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}
