import type { TierReport, TierRow } from '@incipit/engine/bench'
import { aboutLines, milliseconds } from './bench-lines.ts'

const width = 880
const left = 150
const right = 190
const barHeight = 18
const rowHeight = 26
const groupGap = 34
const headHeight = 104
const footHeight = 58

const style = `
  svg { --ground: #ffffff; --ink: #1b1f24; --soft: #59636e; --line: #d1d9e0; --cold: #8a94a0; --hot: #c2410c; --ram: #b45309; --disk: #0e7490; --floor: #1b1f24;
    font-family: ui-sans-serif, system-ui, sans-serif }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #0d1117; --ink: #e6edf3; --soft: #9198a1; --line: #30363d; --cold: #7d8590; --hot: #fb923c; --ram: #fbbf24; --disk: #22d3ee; --floor: #e6edf3 }
  }
  .ground { fill: var(--ground) } text { fill: var(--ink); font-size: 13px } .title { font-size: 18px; font-weight: 600 }
  .soft { fill: var(--soft); font-size: 12px } .group { font-weight: 600 } .end { text-anchor: end } .middle { text-anchor: middle }
  .grid { stroke: var(--line) } .floor { stroke: var(--floor); stroke-width: 2.5 }
  .cold { fill: var(--cold) } .hot { fill: var(--hot) } .ram { fill: var(--ram) } .disk { fill: var(--disk) }`

/**
 * A report as a picture that stands alone, light or dark as its reader prefers: bars of the time to the first token on
 * a logarithmic scale, each with a line where its floor is.
 *
 * @example await writeFile('bench.svg', benchPicture(report, new Date()))
 */
export function benchPicture(report: TierReport, at: Date): string {
  const lengths = [...new Set(report.rows.map(({ prefixTokens }) => prefixTokens))]
  const plotHeight = report.rows.length * rowHeight + lengths.length * groupGap
  const height = headHeight + plotHeight + footHeight
  const scale = scaleOf(report.rows)
  const label = 'Time to first token by length of the cached opening and tier of the cache'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">
<style>${style}
</style>
<rect class="ground" width="${width}" height="${height}"/>
${head(report)}
${gridLines(scale, headHeight + plotHeight)}
${groups(report, lengths, scale)}
${foot(report, { at, top: headHeight + plotHeight })}
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
  const span = width - left - right
  return { least, most, at: (ms) => left + ((Math.log10(ms) - least) / (most - least)) * span }
}

function head(report: TierReport): string {
  const lines = aboutLines(report).map((line, index) => text(24, 54 + 16 * index, line, 'soft'))
  return [text(24, 32, 'Time to first token', 'title'), ...lines].join('\n')
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
      const parts = [text(24, top + 22, `${length.toLocaleString('en')} tokens`, 'group')]
      top += groupGap
      for (const row of rows.filter(({ prefixTokens }) => prefixTokens === length)) {
        parts.push(bar(row, top, scale))
        top += rowHeight
      }
      return parts
    })
    .join('\n')
}

function bar({ tier, ms, floorMs, ratio }: TierRow, top: number, { least, at }: Scale): string {
  const from = round(at(10 ** least))
  const to = round(at(ms.p50))
  const floor = round(at(floorMs.p50))
  const middle = top + barHeight - 5
  const said = `${milliseconds(ms.p50)} ms, ${ratio.p50.toFixed(2)} x floor`
  return [
    text(left - 12, middle, tier, 'end'),
    `<rect class="${tier}" x="${from}" y="${top}" width="${Math.max(1, round(to - from))}" height="${barHeight}" rx="2"/>`,
    `<line class="floor" x1="${floor}" x2="${floor}" y1="${top - 3}" y2="${top + barHeight + 3}"/>`,
    text(Math.max(to, floor) + 8, middle, said, ''),
  ].join('\n')
}

function foot({ rounds }: TierReport, { at, top }: { readonly at: Date; readonly top: number }): string {
  const line = `Medians of ${rounds}, ${at.toISOString().slice(0, 10)}. Upright line: floor, llama_decode alone on the same tokens. Logarithmic scale.`
  return text(24, top + 44, line, 'soft')
}

function timeText(ms: number): string {
  return ms >= 1_000 ? `${(ms / 1_000).toLocaleString('en')} s` : `${ms} ms`
}

function text(x: number, y: number, content: string, kind: string): string {
  const shown = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<text x="${x}" y="${y}"${kind === '' ? '' : ` class="${kind}"`}>${shown}</text>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
