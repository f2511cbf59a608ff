import { expect, test } from 'vitest'
import { providerOf } from './provider-of.ts'

const compatible = { provider: undefined, kind: 'openai-compatible' } as const

test.each([
  ['https://api.deepseek.com', 'deepseek'],
  ['https://api.deepseek.com/anthropic', 'deepseek'],
  ['https://API.X.ai/v1', 'xai'],
  ['https://api.groq.com/openai/v1', 'groq'],
  ['https://api.moonshot.cn/v1', 'moonshot'],
  ['https://dashscope-intl.aliyuncs.com/compatible-mode/v1', 'alibaba'],
  ['https://acme.openai.azure.com/openai/v1', 'azure-openai'],
  ['https://acme.services.ai.azure.com/models', 'azure-openai'],
  ['https://generativelanguage.googleapis.com/v1beta/openai', 'gemini'],
  ['https://api.deepseek.com.example.com', undefined],
  ['https://notapi.x.ai.evil', undefined],
  ['http://127.0.0.1:8000', undefined],
])('the address %s tells whose prices apply: %s', (address, provider) => {
  expect(providerOf(compatible, [address])).toBe(provider)
  expect(providerOf({ ...compatible, kind: 'anthropic-compatible' }, [address])).toBe(provider)
})

test('replicas of two providers are of none; what is configured wins over kind and address', () => {
  expect(providerOf(compatible, ['https://api.x.ai', 'https://api.groq.com'])).toBeUndefined()
  expect(providerOf({ ...compatible, provider: 'acme' }, ['https://api.x.ai'])).toBe('acme')
  expect(providerOf({ provider: 'azure-openai', kind: 'openai' }, ['https://acme.example.com'])).toBe('azure-openai')
})

test('other kinds are their own provider, wherever they stand', () => {
  for (const kind of ['openai', 'anthropic', 'fireworks', 'workers-ai', 'openrouter', 'vllm', 'sglang'] as const) {
    expect(providerOf({ provider: undefined, kind }, ['http://127.0.0.1:8000'])).toBe(kind)
  }
})
