import type * as Api from '@opentelemetry/api'
import type * as Core from '@opentelemetry/core'
import type * as MetricsExporter from '@opentelemetry/exporter-metrics-otlp-proto'
import type * as TraceExporter from '@opentelemetry/exporter-trace-otlp-proto'
import type * as Resources from '@opentelemetry/resources'
import type * as SdkMetrics from '@opentelemetry/sdk-metrics'
import type * as SdkTrace from '@opentelemetry/sdk-trace'

/** The packages of OpenTelemetry, as far as they are asked for: they are not installed with this one. */
export interface OtelPackages {
  readonly api: typeof Api
  readonly core: typeof Core
  readonly resources: typeof Resources
  readonly trace: typeof SdkTrace
  readonly metrics: typeof SdkMetrics
  /** Of the signals that are sent. */
  readonly traceExporter?: Pick<typeof TraceExporter, 'OTLPTraceExporter'>
  readonly metricsExporter?: Pick<typeof MetricsExporter, 'OTLPMetricExporter'>
}

/** How spans and metrics travel. */
export type OtlpProtocol = 'http/protobuf' | 'http/json'

export type LoadedPackages =
  | { readonly kind: 'loaded'; readonly packages: OtelPackages }
  /** `install`: what goes behind `npm install`; `reasons`: what was said of each. */
  | { readonly kind: 'missing'; readonly install: readonly string[]; readonly reasons: readonly string[] }

/** Versions that go together without a second copy of any, and run on every Node that this package runs on. */
const versions = { stable: '2.12.0', experimental: '0.223.0', api: '1.9.1' }

/**
 * Loads what the wanted signals need, or says what is missing.
 * @example const loaded = await loadPackages({ traces: 'http/protobuf', metrics: undefined })
 */
export async function loadPackages(
  { traces, metrics }: { readonly traces: OtlpProtocol | undefined; readonly metrics: OtlpProtocol | undefined },
  load: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<LoadedPackages> {
  const suffix = (protocol: OtlpProtocol): string => (protocol === 'http/json' ? 'http' : 'proto')
  const wanted: [keyof OtelPackages, string, string][] = [
    ['api', 'api', versions.api],
    ['core', 'core', versions.stable],
    ['resources', 'resources', versions.stable],
    ['trace', 'sdk-trace', versions.stable],
    ['metrics', 'sdk-metrics', versions.stable],
  ]
  if (traces !== undefined) {
    wanted.push(['traceExporter', `exporter-trace-otlp-${suffix(traces)}`, versions.experimental])
  }
  if (metrics !== undefined) {
    wanted.push(['metricsExporter', `exporter-metrics-otlp-${suffix(metrics)}`, versions.experimental])
  }
  const found: Partial<Record<keyof OtelPackages, unknown>> = {}
  const reasons: string[] = []
  for (const [key, name] of wanted) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- once, at the start
      found[key] = await load(`@opentelemetry/${name}`)
    } catch (cause) {
      reasons.push(cause instanceof Error ? cause.message : String(cause))
    }
  }
  // Every key was loaded, by the name of the package whose type it has.
  if (reasons.length === 0) return { kind: 'loaded', packages: found as unknown as OtelPackages }
  // All of them: an `api` that something else brought along may be one that the others do not take.
  const install = wanted.map(([, name, version]) => `@opentelemetry/${name}@${version}`)
  return { kind: 'missing', install, reasons }
}
