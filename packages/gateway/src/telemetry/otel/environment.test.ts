import { expect, test } from 'vitest'
import { otelWishes } from './environment.ts'

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }

test('nothing is wished for without an endpoint, with the SDK disabled, or with exporters of none', () => {
  expect(otelWishes({})).toBeUndefined()
  expect(otelWishes({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' })).toBeUndefined()
  expect(otelWishes({ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' })).toBeUndefined()
  expect(otelWishes({ ...endpoint, OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' })).toBeUndefined()
})

test('an endpoint of one signal asks for that signal alone, in its own protocol', () => {
  expect(otelWishes({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://collector:4318/v1/metrics' })).toMatchObject({
    traces: undefined,
    metrics: 'http/protobuf',
  })
  const json = { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' }
  expect(otelWishes({ ...endpoint, ...json })).toMatchObject({
    traces: 'http/json',
    metrics: 'http/protobuf',
    problems: [],
  })
})

test('what cannot be had is named with what can', () => {
  const wishes = otelWishes({
    ...endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_TRACES_SAMPLER: 'jaeger_remote',
    OTEL_TRACES_SAMPLER_ARG: '2',
  })
  expect(wishes).toMatchObject({
    traces: undefined,
    metrics: undefined,
    sampler: { name: 'parentbased_always_on', ratio: 1 },
  })
  expect(wishes?.problems.join('\n')).toMatch(
    /grpc[^]*http\/protobuf[^]*jaeger_remote[^]*parentbased_traceidratio[^]*"2"/,
  )
})

test('only the opt-in of the conventions leaves the former names out', () => {
  expect(otelWishes(endpoint)).toMatchObject({ latestOnly: false })
  expect(otelWishes({ ...endpoint, OTEL_SEMCONV_STABILITY_OPT_IN: 'http' })).toMatchObject({ latestOnly: false })
  const optIn = { OTEL_SEMCONV_STABILITY_OPT_IN: 'http, gen_ai_latest_experimental' }
  expect(otelWishes({ ...endpoint, ...optIn })).toMatchObject({ latestOnly: true })
})
