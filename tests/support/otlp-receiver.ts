import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A span as OTLP/JSON has it. */
export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  /** 2 = server, 3 = client. */
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status?: { readonly code?: number; readonly message?: string }
  readonly events?: readonly unknown[]
  /** Taken out of OTLP's own way to write values. */
  readonly attributes: Readonly<Record<string, unknown>>
}

/** A point of a metric, the latest of its attributes. */
export interface OtlpPoint {
  readonly metric: string
  readonly unit: string
  readonly attributes: Readonly<Record<string, unknown>>
  /** Of a counter. */
  readonly value: number | undefined
  /** Of a histogram. */
  readonly count: number | undefined
  readonly sum: number | undefined
  readonly bounds: readonly number[] | undefined
}

/** What a collector received. */
export interface OtlpReceiver {
  readonly url: string
  /** Of the resource that sent last. */
  readonly resource: () => Readonly<Record<string, unknown>>
  readonly spans: () => readonly OtlpSpan[]
  readonly points: () => readonly OtlpPoint[]
  /** Everything that was sent, as text, with the types of its content. */
  readonly bodies: readonly { readonly path: string; readonly type: string; readonly text: string }[]
  close(): Promise<void>
}

interface KeyValue {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

interface WireMetric {
  readonly name: string
  readonly unit: string
  readonly sum?: { readonly dataPoints: readonly WirePoint[]; readonly isMonotonic: boolean }
  readonly histogram?: { readonly dataPoints: readonly WirePoint[] }
}

interface WirePoint {
  readonly attributes: readonly KeyValue[]
  readonly asInt?: string | number
  readonly asDouble?: number
  readonly count?: string | number
  readonly sum?: number
  readonly explicitBounds?: readonly number[]
}

interface WireBody {
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] }
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<OtlpSpan, 'attributes'> & { readonly attributes: readonly KeyValue[] })[]
    }[]
  }[]
  readonly resourceMetrics?: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] }
    readonly scopeMetrics: readonly { readonly metrics: readonly WireMetric[] }[]
  }[]
}

/**
 * Starts a collector on this machine that takes `http/json`, and keeps what comes in any form.
 * @example const collector = await startOtlpReceiver(); collector.spans()
 */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const bodies: { path: string; type: string; text: string }[] = []
  const spans: OtlpSpan[] = []
  const points = new Map<string, OtlpPoint>()
  let resource: Readonly<Record<string, unknown>> = {}
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => void chunks.push(chunk))
    request.on('end', () => {
      const type = request.headers['content-type'] ?? ''
      const text = Buffer.concat(chunks).toString(type === 'application/json' ? 'utf8' : 'latin1')
      bodies.push({ path: request.url ?? '', type, text })
      if (type === 'application/json') take(JSON.parse(text) as WireBody) // OTLP's own shape
      response.writeHead(200, { 'content-type': type }).end(type === 'application/json' ? '{}' : '')
    })
  })
  const take = ({ resourceSpans = [], resourceMetrics = [] }: WireBody): void => {
    for (const { resource: from, scopeSpans } of resourceSpans) {
      resource = read(from.attributes)
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
        spans.push({ ...span, attributes: read(span.attributes) })
      }
    }
    for (const { resource: from, scopeMetrics } of resourceMetrics) {
      resource = read(from.attributes)
      for (const metric of scopeMetrics.flatMap(({ metrics }) => metrics)) {
        for (const point of readPoints(metric)) {
          points.set(`${point.metric} ${JSON.stringify(point.attributes)}`, point)
        }
      }
    }
  }
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    resource: () => resource,
    spans: () => spans,
    points: () => [...points.values()],
    bodies,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function readPoints({ name, unit, sum, histogram }: WireMetric): OtlpPoint[] {
  return [...(sum?.dataPoints ?? []), ...(histogram?.dataPoints ?? [])].map((point) => ({
    metric: name,
    unit,
    attributes: read(point.attributes),
    value: sum === undefined ? undefined : Number(point.asInt ?? point.asDouble),
    count: point.count === undefined ? undefined : Number(point.count),
    sum: point.sum,
    bounds: point.explicitBounds,
  }))
}

function read(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, readValue(value)]))
}

function readValue(value: Readonly<Record<string, unknown>>): unknown {
  const [kind, content] = Object.entries(value)[0] ?? []
  if (kind === 'intValue') return Number(content)
  if (kind !== 'arrayValue') return content
  const { values } = content as { values: readonly Readonly<Record<string, unknown>>[] } // OTLP's list of values
  return values.map(readValue)
}
