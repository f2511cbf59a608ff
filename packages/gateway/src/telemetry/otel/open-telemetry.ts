import type * as Api from '@opentelemetry/api'
import type { Logger } from 'pino'
import { version } from '../../cli/version.ts'
import type { Environment } from '../../config/environment-references.ts'
import type { Tracing } from '../tracing.ts'
import { noTracing } from '../tracing.ts'
import type { OtelWishes } from './environment.ts'
import { otelWishes } from './environment.ts'
import { OtelMetrics } from './otel-metrics.ts'
import { OtelTrace } from './otel-trace.ts'
import type { OtelPackages } from './packages.ts'
import { loadPackages } from './packages.ts'

export interface OpenTelemetryInput {
  readonly env: Environment
  readonly log: Logger
  /** Spans name the organisation. */
  readonly orgLabel: boolean
  /** Imports a package; for tests where one is missing. */
  readonly load?: (name: string) => Promise<unknown>
}

/** Longest wait for a collector when the server closes. */
const closingMs = 5_000
/** The same trouble is told once in this time. */
const quietMs = 60_000

/**
 * Spans and metrics over OTLP where `OTEL_EXPORTER_OTLP_ENDPOINT` (or that of a signal) is set, else nothing: then no
 * package is loaded. Packages that are missing are named in a warning, and the server goes on without.
 *
 * @example const tracing = await openTelemetry({ env: process.env, log, orgLabel: false })
 */
export async function openTelemetry({ env, log, orgLabel, load }: OpenTelemetryInput): Promise<Tracing> {
  const wishes = otelWishes(env)
  if (wishes === undefined) return noTracing
  for (const problem of wishes.problems) log.warn(problem)
  if (wishes.traces === undefined && wishes.metrics === undefined) return noTracing
  const loaded = await loadPackages(wishes, load)
  if (loaded.kind === 'missing') {
    const { install, reasons } = loaded
    log.warn(
      { reasons },
      `OpenTelemetry is asked for and not installed, nothing is sent: npm install ${install.join(' ')}`,
    )
    return noTracing
  }
  return startTelemetry(loaded.packages, { wishes, log, orgLabel })
}

function startTelemetry(
  packages: OtelPackages,
  { wishes, log, orgLabel }: { wishes: OtelWishes; log: Logger; orgLabel: boolean },
): Tracing {
  const { api, core } = packages
  tellTroubles(api, log)
  const resource = resourceOf(packages)
  const traceProvider = new packages.trace.TracerProvider({
    resource,
    sampler: samplerOf(packages, wishes.sampler),
    spanLimits: { attributeValueLengthLimit: 1_024 },
    spanProcessors: spanProcessors(packages),
  })
  const meterProvider = new packages.metrics.MeterProvider({
    resource,
    readers: metricReaders(packages),
  })
  const tools = {
    api,
    tracer: traceProvider.getTracer('incipit', version),
    propagator: new core.W3CTraceContextPropagator(),
    metrics: new OtelMetrics(meterProvider.getMeter('incipit', version), wishes.latestOnly),
    latestOnly: wishes.latestOnly,
    orgLabel,
  }
  return {
    begin: (exchange, path) => new OtelTrace(tools, exchange, path),
    close: async () => {
      const closed = Promise.allSettled([traceProvider.shutdown(), meterProvider.shutdown()])
      let late: NodeJS.Timeout | undefined
      await Promise.race([closed, new Promise((resolve) => (late = setTimeout(resolve, closingMs)))])
      clearTimeout(late)
    },
  }
}

function resourceOf({ resources }: OtelPackages) {
  const detected = resources.detectResources({
    detectors: [resources.envDetector, resources.serviceInstanceIdDetector],
  })
  return resources
    .defaultResource()
    .merge(resources.resourceFromAttributes({ 'service.name': 'incipit', 'service.version': version }))
    .merge(detected)
}

function spanProcessors({ core, trace, traceExporter }: OtelPackages) {
  if (traceExporter === undefined) return []
  const processor = new trace.BatchSpanProcessor({
    exporter: new traceExporter.OTLPTraceExporter(),
    ...given({
      scheduledDelayMillis: core.getNumberFromEnv('OTEL_BSP_SCHEDULE_DELAY'),
      exportTimeoutMillis: core.getNumberFromEnv('OTEL_BSP_EXPORT_TIMEOUT'),
      maxQueueSize: core.getNumberFromEnv('OTEL_BSP_MAX_QUEUE_SIZE'),
      maxExportBatchSize: core.getNumberFromEnv('OTEL_BSP_MAX_EXPORT_BATCH_SIZE'),
    }),
  })
  return [processor]
}

function metricReaders({ core, metrics, metricsExporter }: OtelPackages) {
  if (metricsExporter === undefined) return []
  const exportIntervalMillis = core.getNumberFromEnv('OTEL_METRIC_EXPORT_INTERVAL') ?? 60_000
  const exportTimeoutMillis = core.getNumberFromEnv('OTEL_METRIC_EXPORT_TIMEOUT') ?? 30_000
  const reader = new metrics.PeriodicExportingMetricReader({
    exporter: new metricsExporter.OTLPMetricExporter(),
    exportIntervalMillis,
    // The reader refuses a timeout that is longer than its interval.
    exportTimeoutMillis: Math.min(exportTimeoutMillis, exportIntervalMillis),
  })
  return [reader]
}

function samplerOf({ trace }: OtelPackages, { name, ratio }: OtelWishes['sampler']) {
  const root = name.endsWith('traceidratio')
    ? new trace.TraceIdRatioBasedSampler(ratio)
    : name.endsWith('always_off')
      ? new trace.AlwaysOffSampler()
      : new trace.AlwaysOnSampler()
  return name.startsWith('parentbased_') ? new trace.ParentBasedSampler({ root }) : root
}

/** The SDK's own complaints, such as a collector that is gone, go to our log, each once a minute at most. */
function tellTroubles(api: typeof Api, log: Logger): void {
  const told = new Map<string, number>()
  const tell = (message: string): void => {
    const text = message.slice(0, 500)
    const now = performance.now()
    if (now - (told.get(text) ?? -Infinity) < quietMs) return
    if (told.size >= 100) told.clear()
    told.set(text, now)
    log.warn({ reason: text }, 'OpenTelemetry has trouble')
  }
  const quiet = (): void => undefined
  api.diag.setLogger(
    { error: tell, warn: tell, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true },
  )
}

function given(values: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== undefined))
}
