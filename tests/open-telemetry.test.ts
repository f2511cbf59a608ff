import { afterEach, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { post } from './support/ledger.ts'
import type { OtlpReceiver, OtlpSpan } from './support/otlp-receiver.ts'
import { startOtlpReceiver } from './support/otlp-receiver.ts'
import { sendJson, startRecordingUpstream, takeOne } from './support/recording-upstream.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'
const traceparent = `00-${traceId}-${parentId}-01`

async function collector(): Promise<OtlpReceiver> {
  const receiver = await startOtlpReceiver()
  closers.push(() => receiver.close())
  return receiver
}

async function upstream(): Promise<RecordingUpstream> {
  const recording = await startRecordingUpstream()
  closers.push(() => recording.close())
  return recording
}

async function gateway(config: string, env: Record<string, string>): Promise<ServerProcess> {
  const server = await startServerProcess({ config, env: { OTEL_METRIC_EXPORT_INTERVAL: '50', ...env } })
  closers.push(() => server.stop())
  return server
}

const sendingTo = (receiver: OtlpReceiver, more: Record<string, string> = {}): Record<string, string> => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_BSP_SCHEDULE_DELAY: '20',
  ...more,
})

const withoutEngine = (...rows: string[]): string => `engine: { enabled: false }\nupstreams:\n${rows.join('\n')}\n`
const row = (name: string, url: string, more = ''): string =>
  `  - { name: ${name}, kind: openai, base_url: "${url}", api_key: sk-test, max_retries: 0${more} }`

const ask = (server: ServerProcess, body: object, headers: Record<string, string> = {}): Promise<Response> =>
  post(
    `${server.url}/v1/chat/completions`,
    { model: 'gpt-x', messages: [{ role: 'user', content: 'Hi' }], ...body },
    { headers },
  )

async function spansOf(receiver: OtlpReceiver, count: number): Promise<readonly OtlpSpan[]> {
  await expect.poll(() => receiver.spans().length).toBe(count)
  return receiver.spans()
}

test('a prompt is one server span with a client span for the call below it, in the trace of the caller', async () => {
  const [receiver, oa] = [await collector(), await upstream()]
  const server = await gateway(withoutEngine(row('oa', oa.url, ', trace_context: true')), sendingTo(receiver))
  const answer = await ask(server, { stream: true }, { traceparent, tracestate: 'vendor=1' })
  await answer.text()
  const spans = await spansOf(receiver, 2)
  const prompt = spans.find(({ kind }) => kind === 2)
  const call = spans.find(({ kind }) => kind === 3)
  expect(prompt).toMatchObject({ traceId, parentSpanId: parentId, name: 'POST /v1/chat/completions' })
  expect(prompt?.attributes).toMatchObject({
    'http.request.method': 'POST',
    'http.route': '/v1/chat/completions',
    'http.response.status_code': 200,
    'incipit.request.id': answer.headers.get('x-incipit-request-id'),
    'incipit.dialect': 'openai-chat',
    'incipit.upstream': 'oa',
    'gen_ai.request.model': 'gpt-x',
  })
  expect(call).toMatchObject({ traceId, parentSpanId: prompt?.spanId, name: 'chat gpt-x' })
  expect(call?.attributes).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-x',
    'gen_ai.request.stream': true,
    'gen_ai.usage.input_tokens': 20,
    'gen_ai.usage.cache_read.input_tokens': 16,
    'gen_ai.usage.output_tokens': 2,
    'gen_ai.response.time_to_first_chunk': expect.any(Number),
    'server.address': '127.0.0.1',
    'server.port': Number(new URL(oa.url).port),
  })
  expect(takeOne(oa).headers).toMatchObject({
    traceparent: `00-${traceId}-${call?.spanId}-01`,
    tracestate: 'vendor=1',
  })
  expect(receiver.resource()).toMatchObject({ 'service.name': 'incipit', 'service.version': expect.any(String) })
})

test('law 1: an upstream that is not to have traces gets the headers of the client as they came', async () => {
  const [receiver, oa] = [await collector(), await upstream()]
  const server = await gateway(withoutEngine(row('oa', oa.url)), sendingTo(receiver))
  await (await ask(server, {}, { traceparent })).text()
  expect(takeOne(oa).headers['traceparent']).toBe(traceparent)
  await (await ask(server, {})).text()
  expect(takeOne(oa).headers).not.toHaveProperty('traceparent')
})

test('a failed try is a span of its own, with the class of its error and without its words', async () => {
  const [receiver, first, second] = [await collector(), await upstream(), await upstream()]
  first.answer = (_request, response) => sendJson(response, { error: { message: 'secretly overloaded' } }, 503)
  const server = await gateway(withoutEngine(row('one', first.url), row('two', second.url)), sendingTo(receiver))
  await (await ask(server, {})).text()
  const calls = (await spansOf(receiver, 3)).filter(({ kind }) => kind === 3)
  expect(
    calls.map(({ attributes, status }) => [attributes['incipit.upstream'], attributes['error.type'], status?.code]),
  ).toEqual([
    ['one', '503', 2],
    ['two', undefined, 0],
  ])
  const durations = (): (string | undefined)[] =>
    receiver
      .points()
      .filter(({ metric }) => metric === 'gen_ai.client.inference.duration')
      .map(({ attributes }) => attributes['error.type'] as string | undefined)
  await expect.poll(durations).toEqual(['503', undefined])
  expect(JSON.stringify(receiver.bodies)).not.toContain('secretly')
})

test('a request that is refused before any model has a span, without a call below it', async () => {
  const [receiver, oa] = [await collector(), await upstream()]
  const server = await gateway(withoutEngine(row('oa', oa.url)), sendingTo(receiver))
  expect((await post(`${server.url}/v1/chat/completions`, '{')).status).toBe(400)
  const [span] = await spansOf(receiver, 1)
  expect(span?.attributes).toMatchObject({ 'http.response.status_code': 400 })
  expect(span?.attributes).not.toHaveProperty('error.type')
})

test('no word of a prompt, an answer, a key, a session or a query leaves in spans or metrics', async () => {
  const [receiver, oa] = [await collector(), await upstream()]
  oa.answer = (_request, response) =>
    sendJson(response, {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'whispered' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 20, completion_tokens: 2, total_tokens: 22 },
    })
  const server = await gateway(withoutEngine(row('oa', oa.url)), sendingTo(receiver))
  const body = {
    messages: [
      { role: 'system', content: 'whispered' },
      { role: 'user', content: [{ type: 'text', text: 'whispered' }] },
    ],
    tools: [{ type: 'function', function: { name: 'whispered', description: 'whispered', parameters: {} } }],
    user: 'whispered',
    metadata: { note: 'whispered' },
  }
  const headers = { 'x-session-affinity': 'whispered', authorization: 'Bearer whispered' }
  await (
    await post(`${server.url}/v1/chat/completions?note=whispered`, { model: 'gpt-x', ...body }, { headers })
  ).text()
  await (await post(`${server.url}/v1/messages`, { model: 'gpt-x', max_tokens: 1, whispered: 'whispered' })).text()
  await spansOf(receiver, 3)
  await expect.poll(() => receiver.points().length).toBeGreaterThan(0)
  expect(receiver.bodies.map(({ text }) => text).join('\n')).not.toContain('whispered')
})

test('metrics have the current names of the conventions, and the former ones beside them until told otherwise', async () => {
  const [both, latest, oa] = [await collector(), await collector(), await upstream()]
  const config = withoutEngine(row('oa', oa.url))
  for (const [receiver, more] of [
    [both, {}],
    [latest, { OTEL_SEMCONV_STABILITY_OPT_IN: 'http,gen_ai_latest_experimental' }],
  ] as const) {
    const server = await gateway(config, sendingTo(receiver, more))
    await (await ask(server, { stream: true })).text()
    await expect.poll(() => receiver.points().length).toBeGreaterThan(0)
  }
  const names = (receiver: OtlpReceiver): string[] => [...new Set(receiver.points().map(({ metric }) => metric))].sort()
  const current = [
    'gen_ai.client.inference.duration',
    'gen_ai.client.inference.operation.input_tokens',
    'gen_ai.client.inference.operation.output_tokens',
    'gen_ai.client.inference.time_to_first_chunk',
    'gen_ai.client.inference.usage.cache_read.input_tokens',
    'gen_ai.client.inference.usage.input_tokens',
    'gen_ai.client.inference.usage.output_tokens',
  ]
  const former = [
    'gen_ai.client.operation.duration',
    'gen_ai.client.operation.time_to_first_chunk',
    'gen_ai.client.token.usage',
  ]
  // What costs is counted only where a price is known.
  expect(names(latest).filter((name) => name.startsWith('gen_ai.'))).toEqual(current)
  expect(names(both).filter((name) => name.startsWith('gen_ai.'))).toEqual([...current, ...former])
  const valueOf = (name: string): number | undefined => latest.points().find(({ metric }) => metric === name)?.value
  expect(valueOf('gen_ai.client.inference.usage.input_tokens')).toBe(20)
  expect(valueOf('gen_ai.client.inference.usage.cache_read.input_tokens')).toBe(16)
  expect(valueOf('gen_ai.client.inference.usage.output_tokens')).toBe(2)
  const first = latest.points().find(({ metric }) => metric === 'gen_ai.client.inference.time_to_first_chunk')
  expect(first).toMatchObject({ count: 1, unit: 's' })
  expect(first?.bounds?.at(-1)).toBe(80)
  expect(first?.attributes).toEqual({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-x',
  })
})

test('the local engine has the metrics of a model server', async () => {
  const receiver = await collector()
  const server = await gateway('upstreams: []', sendingTo(receiver))
  await (await ask(server, { model: 'demo', max_tokens: 4, stream: true })).text()
  const names = (): string[] => receiver.points().map(({ metric }) => metric)
  await expect.poll(names).toContain('gen_ai.server.time_to_first_token')
  expect(names()).toEqual(
    expect.arrayContaining(['gen_ai.server.request.duration', 'gen_ai.server.time_per_output_token']),
  )
  const input = receiver.points().find(({ metric }) => metric === 'gen_ai.client.inference.usage.input_tokens')
  expect(input?.attributes).toMatchObject({ 'gen_ai.provider.name': 'incipit', 'gen_ai.token.modality': 'text' })
})

test('protobuf is what is spoken unless the environment says otherwise, and what is left goes out when the server closes', async () => {
  const [receiver, oa] = [await collector(), await upstream()]
  const server = await gateway(withoutEngine(row('oa', oa.url)), {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: '600000',
    OTEL_METRIC_EXPORT_INTERVAL: '600000',
  })
  await (await ask(server, {})).text()
  expect(receiver.bodies).toEqual([])
  closers.pop()
  await server.stop()
  expect(receiver.bodies.map(({ path, type }) => `${path} ${type}`).sort()).toEqual([
    '/v1/metrics application/x-protobuf',
    '/v1/traces application/x-protobuf',
  ])
  expect(receiver.bodies.map(({ text }) => text).join('')).toContain('chat gpt-x')
})

test('a collector that is gone costs a warning, not a request, and does not keep the server from ending', async () => {
  const [receiver, oa] = [await startOtlpReceiver(), await upstream()]
  await receiver.close()
  const config = withoutEngine(row('oa', oa.url))
  const server = await gateway(config, sendingTo(receiver, { OTEL_EXPORTER_OTLP_TIMEOUT: '100' }))
  expect((await ask(server, {})).status).toBe(200)
  await expect.poll(() => server.output()).toContain('OpenTelemetry has trouble')
  closers.pop()
  await server.stop()
})

test('a sampler of the environment: nothing is recorded but what the caller records', async () => {
  const [receiver, oa] = [await collector(), await upstream()]
  const server = await gateway(
    withoutEngine(row('oa', oa.url, ', trace_context: true')),
    sendingTo(receiver, { OTEL_TRACES_SAMPLER: 'parentbased_always_off' }),
  )
  await (await ask(server, {})).text()
  expect(takeOne(oa).headers['traceparent']).toMatch(/-00$/)
  await (await ask(server, {}, { traceparent })).text()
  expect((await spansOf(receiver, 2)).every((span) => span.traceId === traceId)).toBe(true)
})
