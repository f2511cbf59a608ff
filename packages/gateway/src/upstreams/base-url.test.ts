import { describe, expect, test } from 'vitest'
import { endpointOf, promptPath } from './base-url.ts'

/** Where a Chat request goes that is sent to this base URL. */
const chatUrl = (baseUrl: string): string => {
  const endpoint = endpointOf(baseUrl)
  return endpoint.origin + promptPath(endpoint, 'openai-chat', 'chat/completions', 'm')
}

describe('a base URL leads to one route, however it is written', () => {
  test.each([
    ['https://api.openai.com', 'https://api.openai.com/v1/chat/completions'],
    ['https://api.openai.com/', 'https://api.openai.com/v1/chat/completions'],
    ['https://api.openai.com/v1', 'https://api.openai.com/v1/chat/completions'],
    ['https://api.openai.com/v1//', 'https://api.openai.com/v1/chat/completions'],
    ['https://api.openai.com/v1/v1', 'https://api.openai.com/v1/chat/completions'],
    ['https://api.openai.com/v1/chat/completions', 'https://api.openai.com/v1/chat/completions'],
    ['https://api.openai.com/v1/chat/completions/', 'https://api.openai.com/v1/chat/completions'],
    ['https://api.openai.com/v1/responses', 'https://api.openai.com/v1/chat/completions'],
    ['https://api.anthropic.com/v1/messages', 'https://api.anthropic.com/v1/chat/completions'],
    ['https://api.fireworks.ai/inference', 'https://api.fireworks.ai/inference/v1/chat/completions'],
    ['https://api.fireworks.ai/inference/v1', 'https://api.fireworks.ai/inference/v1/chat/completions'],
    ['https://openrouter.ai/api/v1', 'https://openrouter.ai/api/v1/chat/completions'],
    ['https://api.z.ai/api/paas/v4', 'https://api.z.ai/api/paas/v4/chat/completions'],
    ['https://example.com/v1beta/', 'https://example.com/v1beta/chat/completions'],
    ['https://example.com/v2alpha1', 'https://example.com/v2alpha1/chat/completions'],
    ['http://[::1]:8000/v1', 'http://[::1]:8000/v1/chat/completions'],
    ['http://localhost:11434', 'http://localhost:11434/v1/chat/completions'],
    // No version, whatever it begins with.
    ['https://example.com/vllm', 'https://example.com/vllm/v1/chat/completions'],
    ['https://example.com/v1x', 'https://example.com/v1x/v1/chat/completions'],
    ['https://example.com/a%20b/v1', 'https://example.com/a%20b/v1/chat/completions'],
  ])('%s', (baseUrl, expected) => {
    expect(chatUrl(baseUrl)).toBe(expected)
  })

  test('an account of Workers AI has its own route beside the version, with the model in the path', () => {
    for (const end of ['', '/', '/v1']) {
      const endpoint = endpointOf(`https://api.cloudflare.com/client/v4/accounts/0123/ai${end}`)
      const path = (dialect: 'openai-chat' | 'workers-ai', route: string, model: string): string =>
        promptPath(endpoint, dialect, route, model)
      expect(path('openai-chat', 'chat/completions', 'm')).toBe('/client/v4/accounts/0123/ai/v1/chat/completions')
      expect(path('workers-ai', 'run', '@cf/meta/llama-3.1-8b')).toBe(
        '/client/v4/accounts/0123/ai/run/@cf/meta/llama-3.1-8b',
      )
    }
  })

  test('a model cannot lead out of its place in the path', () => {
    const endpoint = endpointOf('https://api.cloudflare.com/client/v4/accounts/0123/ai')
    expect(promptPath(endpoint, 'workers-ai', 'run', 'a?b#c d/é')).toBe(
      '/client/v4/accounts/0123/ai/run/a%3Fb%23c%20d/%C3%A9',
    )
  })
})

test('what is no URL is refused', () => {
  expect(() => endpointOf('api.openai.com/v1')).toThrow(TypeError)
})
