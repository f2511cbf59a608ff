import type { TierReport, TierRow } from '@incipit/engine/bench'
import { aboutLines, milliseconds } from './bench-lines.ts'

const width = 960
const margin = 28
/** Where bars begin and end. */
const left = 96
const right = 610
const barHeight = 15
const floorHeight = 4
const rowHeight = 30
const groupGap = 40
const headHeight = 168
const footHeight = 84
/** Right edges of the columns beside the bars. */
const columns = { ms: 718, floor: 790, ratio: 858, gain: width - margin }
/** Letters of a line that fit. */
const mostLetters = 140

const style = `
  svg { --ground: #ffffff; --ink: #1d1a16; --soft: #655d53; --line: #e2dacd; --floor: #1d1a16; --accent: #96470d;
    --cold: #948a7d; --hot: #c2410c; --ram: #6547c0; --disk: #0f766e; font-family: ui-sans-serif, system-ui, sans-serif }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #1a1613; --ink: #ece5da; --soft: #aaa093; --line: #38312a; --floor: #ece5da; --accent: #e59a52;
      --cold: #8b8175; --hot: #fb923c; --ram: #a893f5; --disk: #3cc4b0 }
  }
  .ground { fill: var(--ground) } text { fill: var(--ink); font-size: 13px; font-variant-numeric: tabular-nums }
  .title { font-size: 22px; font-weight: 650 } .mark { font: 600 18px Georgia, serif; fill: var(--accent) }
  .model { font-size: 14px; font-weight: 600 } .soft { fill: var(--soft); font-size: 12px }
  .group { font-weight: 650; font-size: 14px } .gain { font-weight: 650 } .end { text-anchor: end } .middle { text-anchor: middle }
  .grid, .rule { stroke: var(--line) } .floor { fill: var(--floor) }
  .cold { fill: var(--cold) } .hot { fill: var(--hot) } .ram { fill: var(--ram) } .disk { fill: var(--disk) }`

/**
 * A report as a picture that stands alone, light or dark as its reader prefers: for each length and tier a bar of the time
 * to the first token on a logarithmic scale, under it the bar of its floor, and beside it the numbers.
 *
 * @example await writeFile('bench.svg', benchPicture(report, new Date()))
 */
export function benchPicture(report: TierReport, at: Date): string {
  const lengths = [...new Set(report.rows.map(({ prefixTokens }) => prefixTokens))]
  const bottom = headHeight + report.rows.length * rowHeight + lengths.length * groupGap
  const height = bottom + footHeight
  const scale = scaleOf(report.rows)
  const label = 'Time to first token by length of the cached opening and tier of the cache'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">
<style>${style}
</style>
<rect class="ground" width="${width}" height="${height}"/>
${head(report)}
${gridLines(scale, bottom)}
${groups(report, lengths, scale)}
${foot(report, { at, top: bottom })}
</svg>
`
}

interface Scale {
  readonly least: number
  readonly most: number
  readonly at: (ms: number) => number
}

/** Whole powers of ten around all values. */
function scaleOf(rows: readonly TierRow[]): Scale {
  const values = rows.flatMap(({ ms, floorMs }) => [ms.p50, floorMs.p50])
  const least = Math.floor(Math.log10(Math.min(...values, 1_000)))
  const most = Math.max(least + 1, Math.ceil(Math.log10(Math.max(...values, 1))))
  return { least, most, at: (ms) => left + ((Math.log10(ms) - least) / (most - least)) * (right - left) }
}

function head(report: TierReport): string {
  const [model = '', ...machine] = aboutLines(report)
  return [
    text(margin, 46, 'Time to first token', 'title'),
    text(width - margin, 46, 'Incipit', 'mark end'),
    text(margin, 74, model, 'model'),
    ...machine.map((line, index) => text(margin, 94 + 17 * index, line, 'soft')),
    legend(140),
    ...[
      ['first token', columns.ms],
      ['floor', columns.floor],
      ['÷ floor', columns.ratio],
      ['cold ÷ this', columns.gain],
    ].map(([title, x]) => text(Number(x), 144, String(title), 'soft end')),
  ].join('\n')
}

/** What the two bars of a row are. */
function legend(top: number): string {
  return [
    ...(['cold', 'hot', 'ram', 'disk'] as const).map(
      (tier, index) => `<rect class="${tier}" x="${margin + 11 * index}" y="${top - 6}" width="9" height="9" rx="2"/>`,
    ),
    text(margin + 50, top + 4, 'measured', 'soft'),
    `<rect class="floor" x="${margin + 124}" y="${top - 2}" width="26" height="${floorHeight}" rx="1"/>`,
    text(margin + 158, top + 4, 'floor: llama_decode alone on the same tokens', 'soft'),
  ].join('\n')
}

function gridLines({ least, most, at }: Scale, bottom: number): string {
  return Array.from({ length: most - least + 1 }, (_, index) => {
    const ms = 10 ** (least + index)
    const x = round(at(ms))
    const line = `<line class="grid" x1="${x}" x2="${x}" y1="${headHeight}" y2="${bottom}"/>`
    return `${line}\n${text(x, bottom + 18, timeText(ms), 'soft middle')}`
  }).join('\n')
}

function groups({ rows }: TierReport, lengths: readonly number[], scale: Scale): string {
  let top = headHeight
  return lengths
    .flatMap((length) => {
      const ofLength = rows.filter(({ prefixTokens }) => prefixTokens === length)
      const cold = ofLength.find(({ tier }) => tier === 'cold')
      const rule = `<line class="rule" x1="${margin}" x2="${width - margin}" y1="${top}" y2="${top}"/>`
      const parts = [rule, text(margin, top + 26, `Opening of ${length.toLocaleString('en')} tokens`, 'group')]
      top += groupGap
      for (const row of ofLength) {
        parts.push(bars(row, top, scale), numbers(row, cold, top))
        top += rowHeight
      }
      return parts
    })
    .join('\n')
}

function bars({ tier, ms, floorMs }: TierRow, top: number, { least, at }: Scale): string {
  const from = round(at(10 ** least))
  const wide = (value: number): number => Math.max(1, round(at(value) - from))
  const floorTop = top + barHeight + 1
  return [
    text(margin, top + barHeight - 3, tier === 'ram' ? 'RAM' : tier, ''),
    `<rect class="${tier}" x="${from}" y="${top}" width="${wide(ms.p50)}" height="${barHeight}" rx="2"/>`,
    `<rect class="floor" x="${from}" y="${floorTop}" width="${wide(floorMs.p50)}" height="${floorHeight}" rx="1"/>`,
  ].join('\n')
}

function numbers({ tier, ms, floorMs, ratio }: TierRow, cold: TierRow | undefined, top: number): string {
  const y = top + barHeight - 3
  const gain = tier === 'cold' || cold === undefined ? '' : `${gainText(cold.ms.p50 / ms.p50)} ×`
  return [
    text(columns.ms, y, `${milliseconds(ms.p50)} ms`, 'end'),
    text(columns.floor, y, milliseconds(floorMs.p50), 'soft end'),
    text(columns.ratio, y, ratio.p50.toFixed(2), 'end'),
    ...(gain === '' ? [] : [text(columns.gain, y, gain, 'gain end')]),
  ].join('\n')
}

function foot(report: TierReport, { at, top }: { readonly at: Date; readonly top: number }): string {
  const { rounds, newTokens, prefixCacheOff } = report
  const warm = `Warm: the opening is read from the tier, about ${newTokens} new tokens are computed; cold: all of it.`
  const only = prefixCacheOff === undefined ? warm : `Only cold prompts were measured: ${prefixCacheOff}.`
  const how = `Medians of ${rounds}, ÷ floor that of each round's ratio; ${at.toISOString().slice(0, 10)}, incipit bench engine. Logarithmic scale.`
  return [text(margin, top + 48, only, 'soft'), text(margin, top + 66, how, 'soft')].join('\n')
}

function gainText(gain: number): string {
  return gain.toLocaleString('en', { maximumFractionDigits: gain < 100 ? 1 : 0 })
}

function timeText(ms: number): string {
  return ms >= 1_000 ? `${(ms / 1_000).toLocaleString('en')} s` : `${ms} ms`
}

function text(x: number, y: number, content: string, kind: string): string {
  const short = content.length > mostLetters ? `${content.slice(0, mostLetters - 1)}…` : content
  const shown = short.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<text x="${x}" y="${y}"${kind === '' ? '' : ` class="${kind}"`}>${shown}</text>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
