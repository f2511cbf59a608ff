import type { BenchTier, Spread } from '@incipit/engine/bench'
import { benchTiers, measureTiers } from '@incipit/engine/bench'
import { modelShapes, syntheticModel } from '@incipit/engine/synthetic'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { table } from '../support/table.ts'

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    lengths: { type: 'string', default: '512,2048,8192' },
    rounds: { type: 'string', default: '7' },
    shape: { type: 'string', default: 'smol135' },
    tiers: { type: 'string', default: benchTiers.join(',') },
    within: { type: 'string', default: tmpdir() },
  },
})

const folder = mkdtempSync(join(tmpdir(), 'incipit-tiers-'))
try {
  const wanted = flags.tiers.split(',')
  const unknown = wanted.filter((tier) => !benchTiers.some((known) => known === tier))
  if (unknown.length > 0) throw new Error(`unknown tiers ${unknown.join(', ')}; known: ${benchTiers.join(', ')}`)
  const report = await measureTiers({
    path: syntheticModel(modelShapes[flags.shape as keyof typeof modelShapes], folder),
    lengths: flags.lengths.split(',').map(Number),
    rounds: Number(flags.rounds),
    tiers: wanted as BenchTier[], // looked up just above
    within: flags.within,
    progress: (text) => void process.stderr.write(`${text}\n`),
  })
  if (flags.json) console.log(JSON.stringify({ shape: flags.shape, ...report }, null, 2))
  else {
    const lines = report.rows.map((row) => [
      row.prefixTokens,
      row.tier,
      row.evaluatedTokens,
      shown(row.floorMs, 0),
      shown(row.ms, 0),
      shown(row.ratio, 3),
    ])
    console.log(table(['prefix', 'tier', 'evaluated', 'floor ms', 'first token ms', 'ms / floor'], lines))
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Median (least-most). */
function shown({ p50, min, max }: Spread, digits: number): string {
  return `${p50.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`
}
