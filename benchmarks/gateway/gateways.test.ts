import { expect, test } from 'vitest'
import { runningGateway } from './gateways.ts'

test('a running gateway is named with its address and, where CPU counts, its process', () => {
  expect(runningGateway('nginx=http://127.0.0.1:8107/base/,4711', ['x-provider: openai'])).toMatchObject({
    pid: 4711,
    target: {
      name: 'nginx',
      host: '127.0.0.1',
      port: 8107,
      path: '/base/v1/chat/completions',
      headers: ['x-provider: openai'],
    },
  })
  expect(runningGateway('a=http://localhost', [])).toMatchObject({ pid: undefined, target: { port: 80 } })
})

test.each(['http://127.0.0.1', 'a=127.0.0.1:80', 'a=https://x', 'a=http://x,pid'])('"%s" is refused', (text) => {
  expect(() => runningGateway(text, [])).toThrow('allowed is name=http://HOST:PORT')
})
