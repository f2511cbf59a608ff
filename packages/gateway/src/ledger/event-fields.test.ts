import { epochMs, sessionId, tokenCount } from '@incipit/core'
import { expect, test } from 'vitest'
import { eventFieldNames, projectEvents } from './event-fields.ts'
import { anEvent, reported } from './testing/an-event.ts'

const warm = anEvent('req_1', {
  ...reported({ fresh: 20, read: 80, output: 5 }),
  keyName: 'web',
  session: sessionId('ses_1'),
})
const silent = anEvent('req_2', { at: epochMs(0) })

test('M-2 fields=cached_input_tokens,input_tokens,model gives exactly those, in that order', () => {
  const views = projectEvents([warm, silent], 'cached_input_tokens,input_tokens,model')
  expect(JSON.stringify(views)).toBe(
    '[{"cached_input_tokens":80,"input_tokens":100,"model":"demo"},{"cached_input_tokens":null,"input_tokens":null,"model":"demo"}]',
  )
  expect(JSON.stringify(projectEvents([warm], 'model, input_tokens,model'))).toBe(
    '[{"model":"demo","input_tokens":100}]',
  )
})

test('M-2 without fields an event shows everything, with null for what was not reported', () => {
  expect(projectEvents([silent])).toEqual([
    {
      id: 'req_2',
      kind: 'request',
      parent_id: null,
      at: '1970-01-01T00:00:00.000Z',
      org: 'acme',
      key: null,
      session: null,
      scope: 'f'.repeat(64),
      dialect: 'openai-chat',
      upstream: null,
      replica: null,
      model: 'demo',
      served_model: null,
      stream: false,
      config_generation: 1,
      config_hash: 'c0ffee',
      wire_hash: null,
      usage: {
        fresh: null,
        read: null,
        write_5m: null,
        write_30m: null,
        write_1h: null,
        write_12h: null,
        output: null,
        storage: null,
      },
      raw_usage: null,
      input_tokens: null,
      cached_input_tokens: null,
      evaluated_tokens: null,
      expected_tokens: null,
      prefix_cache: 'on',
      edits: [],
      warnings: [],
      ttft_ms: null,
      total_ms: 12.5,
      status: 200,
      error_code: null,
      answer_id: null,
      reported_input_tokens: null,
      provider: null,
      service_tier: null,
      cost_usd: null,
      counterfactual_usd: null,
      saved_usd: null,
      price_id: null,
      control: false,
      reuse: null,
      verdict: null,
      cause: null,
      request_headroom: null,
      token_headroom: null,
    },
  ])
})

test('M-2 usage buckets can be asked for one by one; zero stays zero', () => {
  const event = anEvent('req_3', { usage: { ...warm.usage, write5m: tokenCount(0) } })
  const fields =
    'output_tokens,fresh_tokens,read_tokens,write_5m_tokens,write_30m_tokens,write_1h_tokens,write_12h_tokens'
  expect(Object.values(projectEvents([event], fields)[0] ?? {})).toEqual([5, 20, 80, 0, null, null, null])
})

test('M-2 an unknown field is refused with the list of those known', () => {
  for (const fields of ['nope', 'model,nope', '', 'model,', 'toString', '__proto__']) {
    expect(() => projectEvents([warm], fields), fields).toThrow(/known fields are id, kind, .*output_tokens/)
  }
  expect(() => projectEvents([], 'nope')).toThrow(expect.objectContaining({ code: 'invalid_request', param: 'fields' }))
  expect(projectEvents([warm], eventFieldNames.join(','))).toHaveLength(1)
})

test('raw usage is shown as the object it is', () => {
  const rawOf = (rawUsage: string): unknown =>
    projectEvents([anEvent('req_4', { rawUsage })], 'raw_usage')[0]?.['raw_usage']
  expect(rawOf('{"input_tokens":1,"details":{"cached":null}}')).toEqual({ input_tokens: 1, details: { cached: null } })
  expect(rawOf('{"cut off')).toBe('{"cut off')
})
