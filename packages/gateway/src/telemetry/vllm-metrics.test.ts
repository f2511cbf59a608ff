import { milliseconds } from '@incipit/core'
import { afterEach, expect, test } from 'vitest'
import { anEvent } from '../ledger/testing/an-event.ts'
import { Metrics } from './metrics.ts'
import { anInstance } from './testing/an-instance.ts'

const opened: Metrics[] = []
afterEach(() => {
  for (const metrics of opened.splice(0)) metrics.close()
})

function open(vllmNames: boolean): Metrics {
  const metrics = new Metrics({ vllmNames })
  opened.push(metrics)
  return metrics
}

const models = [
  anInstance('a#0', {
    running: 2,
    queued: 1,
    hotHeldTokens: 64,
    hotTokens: 900,
    hotCapacityTokens: 1_000,
    promptTokens: 120,
    queriedTokens: 100,
    cachedTokens: 80,
    generatedTokens: 7,
  }),
  anInstance('a#1', {
    running: 1,
    hotHeldTokens: 36,
    hotCapacityTokens: 1_000,
    promptTokens: 10,
    queriedTokens: 10,
    generatedTokens: 3,
  }),
  anInstance('b', {}),
]
const stats = { models, running: 3, queued: 1, residentBytes: 1, budgetBytes: 1, restarts: 0 }
const modelOf = (name: string): string => name.replace(/#\d+$/, '')

async function lines(metrics: Metrics): Promise<string[]> {
  const text = await metrics.render({ stats, modelOf })
  return text.split('\n').filter((line) => line.startsWith('vllm:'))
}

test('instances of a model are one model, and what is cached but held by nobody is no usage', async () => {
  expect(await lines(open(true))).toEqual([
    'vllm:num_requests_running{model_name="a"} 3',
    'vllm:num_requests_running{model_name="b"} 0',
    'vllm:num_requests_waiting{model_name="a"} 1',
    'vllm:num_requests_waiting{model_name="b"} 0',
    'vllm:kv_cache_usage_perc{model_name="a"} 0.05',
    'vllm:kv_cache_usage_perc{model_name="b"} 0',
    'vllm:prefix_cache_queries_total{model_name="a"} 110',
    'vllm:prefix_cache_queries_total{model_name="b"} 0',
    'vllm:prefix_cache_hits_total{model_name="a"} 80',
    'vllm:prefix_cache_hits_total{model_name="b"} 0',
    'vllm:prompt_tokens_total{model_name="a"} 130',
    'vllm:prompt_tokens_total{model_name="b"} 0',
    'vllm:generation_tokens_total{model_name="a"} 10',
    'vllm:generation_tokens_total{model_name="b"} 0',
  ])
})

test('times of local models count, those of upstreams do not; a look changes nothing', async () => {
  const metrics = open(true)
  metrics.observe(anEvent('1', { upstream: 'engine', servedModel: 'a', ttftMs: milliseconds(3) }))
  metrics.observe(anEvent('2', { upstream: 'oa', servedModel: 'gpt', ttftMs: milliseconds(3) }))
  metrics.observe(anEvent('3', { upstream: 'engine', servedModel: 'a', ttftMs: undefined }))
  const first = await lines(metrics)
  expect(first).toContain('vllm:time_to_first_token_seconds_count{model_name="a"} 1')
  expect(first).toContain('vllm:time_to_first_token_seconds_bucket{le="0.005",model_name="a"} 1')
  expect(first.filter((line) => line.includes('gpt'))).toEqual([])
  expect(await lines(metrics)).toEqual(first)
})

test('without the flag there is none of them', async () => {
  expect(await open(false).render({ stats, modelOf })).not.toContain('vllm:')
})
