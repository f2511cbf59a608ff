import type { TierReport, TierRow } from '@incipit/engine/bench'
import { expect, test } from 'vitest'
import { benchJson, benchTable } from './bench-engine.ts'
import { benchPicture } from './bench-picture.ts'

const at = new Date('2026-11-26T01:00:00Z')
const spread = (p50: number) => ({ min: p50, p50, p90: p50, max: p50, count: 3 })

function aRow(tier: TierRow['tier'], floor: number, ms: number): TierRow {
  return {
    prefixTokens: 5_000,
    tier,
    evaluatedTokens: tier === 'cold' ? 5_032 : 32,
    floorMs: spread(floor),
    ms: spread(ms),
    ratio: spread(ms / floor),
  }
}

const report: TierReport = {
  model: { name: 'small <&> tiny', parameters: 135e6, fileBytes: 2 ** 20, kvBytesPerToken: 512, synthetic: true },
  machine: { cpu: 'A CPU', cores: 2, memoryBytes: 2 ** 34, platform: 'linux x64', node: 'v24.1.0' },
  library: { package: 'p', version: '1' },
  threads: { decode: 1, prefill: 2 },
  flashAttention: true,
  newTokens: 32,
  rounds: 3,
  prefixCacheOff: undefined,
  rows: [aRow('cold', 1_000, 1_030), aRow('hot', 100, 103), aRow('disk', 100, 115.26)],
}

test('a table sets each tier beside its floor and beside cold', () => {
  expect(benchTable(report).split('\n').slice(0, 8)).toEqual([
    'small <&> tiny: 135 M parameters, 1 MiB, random weights: real work, meaningless text',
    'A CPU, 2 cores, 16 GiB, linux x64, Node 24.1.0',
    'llama.cpp 1, 2 threads, flash attention',
    '',
    'prefix  tier  evaluated  floor ms  first token ms  / floor  cold / this',
    ' 5,000  cold      5,032     1,000           1,030     1.03',
    ' 5,000  hot          32       100             103     1.03         10.0',
    ' 5,000  disk         32       100             115     1.15          8.9',
  ])
  expect(benchTable({ ...report, prefixCacheOff: 'recurrent model' })).toContain(
    'Only cold prompts were measured: recurrent model.',
  )
})

test('JSON has the names that all data of the command line has', () => {
  const data = JSON.parse(benchJson(report, at)) as Record<string, unknown>
  expect(data).toMatchObject({
    object: 'engine_bench',
    at: '2026-11-26T01:00:00.000Z',
    new_tokens: 32,
    rows: [
      { prefix_tokens: 5_000, tier: 'cold', floor_ms: { p50: 1_000 }, ms: { p50: 1_030 }, ratio: { p50: 1.03 } },
      {},
      {},
    ],
  })
})

test('a picture stands alone, follows the reader in light and dark, and escapes what models call themselves', () => {
  const picture = benchPicture(report, at)
  expect(picture).toContain('prefers-color-scheme: dark')
  expect(picture).not.toMatch(/<script|href|url\(|@import/)
  expect(picture).toContain('small &lt;&amp;&gt; tiny')
  const said = texts(picture)
  expect(said.slice(said.indexOf('hot'), said.indexOf('disk'))).toEqual(['hot', '103 ms', '100', '1.03', '10 ×'])
  expect(said.slice(said.indexOf('cold'), said.indexOf('hot'))).toEqual(['cold', '1,030 ms', '1,000', '1.03'])
  expect(picture).not.toContain('NaN')
  const opened = picture.match(/<[a-z]+\b[^>]*(?<!\/)>/g)?.length
  expect(picture.match(/<\/[a-z]+>/g)?.length).toBe(opened)
  // Ten times the time is the same step everywhere on the scale: here from the cold floor to the others.
  const wide = [...picture.matchAll(/class="floor" x="96" y="[\d.]+" width="([\d.]+)"/g)].map(([, width]) =>
    Number(width),
  )
  const grid = [...picture.matchAll(/class="grid" x1="([\d.]+)"/g)].map(([, x]) => Number(x))
  expect((wide[0] ?? 0) - (wide[1] ?? 0)).toBeCloseTo((grid[1] ?? 0) - (grid[0] ?? 0), -1)
})

test('a picture of a model that reuses nothing says why there are cold prompts only', () => {
  const picture = benchPicture({ ...report, rows: [aRow('cold', 1_000, 1_030)], prefixCacheOff: 'hybrid model' }, at)
  expect(picture).toContain('Only cold prompts were measured: hybrid model.')
})

/** What can be read in a picture, in its order. */
function texts(picture: string): string[] {
  return [...picture.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text = '']) => text)
}
