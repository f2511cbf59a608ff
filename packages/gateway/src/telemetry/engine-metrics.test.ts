import type { EngineDiskStats } from '@incipit/engine'
import { expect, test } from 'vitest'
import { Metrics } from './metrics.ts'
import { anInstance } from './testing/an-instance.ts'

const { disk: noDisk } = anInstance('', {})
const shared: EngineDiskStats = { ...noDisk, store: 'abc', off: undefined, bytes: 500, capacityBytes: 900, evicted: 7 }

async function shown(models: readonly ReturnType<typeof anInstance>[]): Promise<string[]> {
  const metrics = new Metrics()
  const stats = { models, running: 0, queued: 0, residentBytes: 1, budgetBytes: 1, restarts: 0 }
  const text = await metrics.render({ stats, modelOf: (instance) => instance })
  metrics.close()
  return text.split('\n').filter((line) => line.startsWith('incipit_engine_'))
}

test('a disk tier that models share is there once, under the first of them: sums are right', async () => {
  const lines = await shown([anInstance('a', { disk: shared }), anInstance('b', { disk: shared }), anInstance('c', {})])
  const of = (name: string): string[] => lines.filter((line) => line.startsWith(`${name}{`))
  expect(of('incipit_engine_cache_disk_bytes')).toEqual([
    'incipit_engine_cache_disk_bytes{model="a"} 500',
    'incipit_engine_cache_disk_bytes{model="c"} 0',
  ])
  expect(of('incipit_engine_cache_disk_evicted_blocks_total')).toEqual([
    'incipit_engine_cache_disk_evicted_blocks_total{model="a"} 7',
    'incipit_engine_cache_disk_evicted_blocks_total{model="c"} 0',
  ])
})

test('M-1 cached tokens are counted by tier, and pins with what was dropped of them', async () => {
  const lines = await shown([
    anInstance('a', { tierTokens: { hot: 5, ram: 3, disk: 2 }, pins: { count: 2, tokens: 128, dropped: 1 } }),
  ])
  expect(lines).toEqual(
    expect.arrayContaining([
      'incipit_engine_cached_tokens_total{model="a",tier="hot"} 5',
      'incipit_engine_cached_tokens_total{model="a",tier="ram"} 3',
      'incipit_engine_cached_tokens_total{model="a",tier="disk"} 2',
      'incipit_engine_pins{model="a"} 2',
      'incipit_engine_pinned_tokens{model="a"} 128',
      'incipit_engine_pins_dropped_total{model="a"} 1',
    ]),
  )
})
