import type { Environment } from '../../config/environment-references.ts'
import { readsLatestOnly } from './gen-ai-names.ts'
import type { OtlpProtocol } from './packages.ts'

/** What the standard variables of OpenTelemetry ask for. The exporters read addresses, headers and the like themselves. */
export interface OtelWishes {
  readonly traces: OtlpProtocol | undefined
  readonly metrics: OtlpProtocol | undefined
  readonly sampler: { readonly name: string; readonly ratio: number }
  readonly latestOnly: boolean
  /** What was asked for and cannot be had. */
  readonly problems: readonly string[]
}

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
]

/**
 * Reads the environment; `undefined` where nobody named an endpoint, or everything is switched off.
 * @example otelWishes({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' })?.traces // 'http/protobuf'
 */
export function otelWishes(env: Environment): OtelWishes | undefined {
  const get = (name: string): string | undefined => (env[name]?.trim() === '' ? undefined : env[name]?.trim())
  if (get('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined
  const problems: string[] = []
  const protocolOf = (signal: 'TRACES' | 'METRICS'): OtlpProtocol | undefined => {
    const endpoint = get(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`) ?? get('OTEL_EXPORTER_OTLP_ENDPOINT')
    const exporter = get(`OTEL_${signal}_EXPORTER`) ?? 'otlp'
    if (endpoint === undefined || exporter === 'none') return undefined
    if (exporter !== 'otlp') problems.push(`OTEL_${signal}_EXPORTER is "${exporter}": otlp and none are possible`)
    const variable = `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`
    const protocol = get(variable) ?? get('OTEL_EXPORTER_OTLP_PROTOCOL') ?? 'http/protobuf'
    if (protocol === 'http/protobuf' || protocol === 'http/json') return protocol
    problems.push(
      `OTEL_EXPORTER_OTLP_PROTOCOL is "${protocol}": http/protobuf and http/json are possible, so ${signal.toLowerCase()} are not sent`,
    )
    return undefined
  }
  const [traces, metrics] = [protocolOf('TRACES'), protocolOf('METRICS')]
  if (traces === undefined && metrics === undefined && problems.length === 0) return undefined
  const sampler = samplerOf(get, problems)
  const latestOnly = readsLatestOnly(get('OTEL_SEMCONV_STABILITY_OPT_IN'))
  return { traces, metrics, sampler, latestOnly, problems }
}

function samplerOf(get: (name: string) => string | undefined, problems: string[]): OtelWishes['sampler'] {
  const name = get('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on'
  const known = samplers.includes(name)
  if (!known) problems.push(`OTEL_TRACES_SAMPLER is "${name}": ${samplers.join(', ')} are possible`)
  const argument = get('OTEL_TRACES_SAMPLER_ARG') ?? '1'
  const ratio = Number(argument)
  const valid = ratio >= 0 && ratio <= 1
  if (!valid) problems.push(`OTEL_TRACES_SAMPLER_ARG is "${argument}": a number from 0 to 1 is possible`)
  return { name: known ? name : 'parentbased_always_on', ratio: valid ? ratio : 1 }
}
