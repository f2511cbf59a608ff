import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import type { EventRow } from './support/post.ts'
import { posted, rowOf } from './support/post.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import { startRecordingUpstream } from './support/recording-upstream.ts'

let upstream: RecordingUpstream
let gateway: ServerProcess

/** Upstreams by the model that leads to each. */
const kinds: Readonly<Record<string, string>> = {
  anthropic: 'kind: anthropic, api_key: k',
  'anthropic-always': 'kind: anthropic, api_key: k, strip_billing_block: always',
  compatible: 'kind: anthropic-compatible',
  'compatible-never': 'kind: anthropic-compatible, strip_billing_block: never',
  llama: 'kind: llama-server',
  vllm: 'kind: vllm',
  responses: 'kind: openai, api_key: k, speaks: [openai-responses]',
  'vllm-never': 'kind: vllm, strip_billing_block: never',
}

beforeAll(async () => {
  upstream = await startRecordingUpstream()
  gateway = await startGateway(
    Object.entries(kinds).map(([name, settings]) => {
      return { name, url: upstream.url, settings: `${settings}, models: [${name}]` }
    }),
  )
})
afterAll(async () => {
  await gateway?.stop()
  await upstream?.close()
})

const billing = (cch: string): string =>
  `x-anthropic-billing-header: cc_version=2.1.36.e1f; cc_entrypoint=cli; cch=${cch};`

/** As Claude Code begins its bodies: `changing` first, then blocks that stay. */
const asBlocks = (model: string, changing: string): string =>
  `{"model":"${model}","messages":[{"role":"user","content":[{"type":"text","text":"Hi","cache_control":{"type":"ephemeral"}}]}], "system": [ {"type":"text","text":"${changing}"}, {"type":"text","text":"You are a coding agent.","cache_control":{"type":"ephemeral","ttl":"1h"}}],"max_tokens":32}`

describe('D-24 the changing first block of Claude Code', () => {
  test.each(['compatible', 'llama'])(
    'is left out for %s: what arrives is equal from request to request',
    async (model) => {
      const [first, second] = [
        await send(asBlocks(model, billing('a1b2c'))),
        await send(asBlocks(model, billing('00f3d'))),
      ]
      expect(first.sent).toBe(second.sent)
      // Nothing else has moved.
      const block = `{"type":"text","text":"${billing('a1b2c')}"}, `
      expect(first.sent).toBe(asBlocks(model, billing('a1b2c')).replace(block, ''))
      expect(first.row.edits).toEqual(['strip-billing-block'])
    },
  )

  test.each(['vllm', 'responses'])('is left out in the translation for %s', async (model) => {
    const [first, second] = [
      await send(asBlocks(model, billing('a1b2c'))),
      await send(asBlocks(model, billing('00f3d'))),
    ]
    expect(first.sent).toBe(second.sent)
    expect(first.sent).not.toContain('x-anthropic-billing-header')
    expect(first.sent).toContain('You are a coding agent.')
  })

  test("stays for Anthropic's own API, byte for byte and first", async () => {
    const body = asBlocks('anthropic', billing('a1b2c'))
    const { sent, row } = await send(body)
    expect(sent).toBe(body)
    expect(row.edits).toEqual([])
    const { system } = JSON.parse(sent) as { system: { text: string }[] }
    expect(system[0]?.text).toBe(billing('a1b2c'))
  })

  test('is left out nowhere by never, and everywhere by always', async () => {
    const kept = asBlocks('compatible-never', billing('a1b2c'))
    expect((await send(kept)).sent).toBe(kept)
    expect((await send(asBlocks('vllm-never', billing('a1b2c')))).sent).toContain(billing('a1b2c'))
    const gone = await send(asBlocks('anthropic-always', billing('a1b2c')))
    expect(gone.sent).not.toContain('billing')
    expect(gone.row.edits).toEqual(['strip-billing-block'])
  })

  test('goes as a line where more text stands behind it, and as a whole where it stands alone', async () => {
    const asText = (cch: string): string =>
      `{"model":"compatible","system":"${billing(cch)}\\nYou are a coding agent.","messages":[{"role":"user","content":"Hi"}],"max_tokens":32}`
    expect((await send(asText('a1b2c'))).sent).toBe(asText('a1b2c').replace(`${billing('a1b2c')}\\n`, ''))
    const alone = (model: string): string =>
      `{"model":"${model}","system":[{"type":"text","text":"${billing('1')}"}],"messages":[{"role":"user","content":"Hi"}],"max_tokens":32}`
    expect(JSON.parse((await send(alone('compatible'))).sent)).toMatchObject({ system: [] })
    expect(JSON.parse((await send(alone('vllm'))).sent)).toMatchObject({ messages: [{ role: 'user' }] })
  })

  test('is left out for local models: the second request finds the prefix of the first', async () => {
    const server = await startGateway([], { engine: true })
    try {
      const rows = []
      for (const cch of ['a1b2c', '00f3d']) {
        rows.push(await rowOf(server.url, await posted(`${server.url}/v1/messages`, asBlocks('demo', billing(cch)))))
      }
      const [first, second] = rows.map(({ usage }) => usage)
      expect(second?.['read']).toBe((first?.['fresh'] ?? 0) - 1)
    } finally {
      await server.stop()
    }
  })

  test('is told from text that only speaks of it', async () => {
    const body = asBlocks('compatible', 'Never send x-anthropic-billing-header: to anybody.')
    expect((await send(body)).sent).toBe(body)
  })
})

async function send(body: string): Promise<{ sent: string; row: EventRow }> {
  const answer = await posted(`${gateway.url}/v1/messages?beta=true`, body, { 'anthropic-version': '2023-06-01' })
  const request = upstream.requests.pop()
  if (request === undefined) throw new Error('nothing arrived')
  return { sent: request.body.toString('utf8'), row: await rowOf(gateway.url, answer) }
}
