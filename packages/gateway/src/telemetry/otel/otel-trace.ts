import type * as Api from '@opentelemetry/api'
import type { Context, Span, Tracer } from '@opentelemetry/api'
import type { TextMapPropagator } from '@opentelemetry/api'
import type { Exchange } from '../../http/exchange.ts'
import type { LedgerEvent } from '../../ledger/port.ts'
import type { PromptTrace } from '../tracing.ts'
import { factsOfAnswer, factsOfRequest, factsOfTarget, operation } from './call-facts.ts'
import { named } from './named-attributes.ts'
import type { OtelMetrics } from './otel-metrics.ts'

/** What every trace of a process shares. */
export interface TraceTools {
  readonly api: typeof Api
  readonly tracer: Tracer
  readonly propagator: TextMapPropagator
  readonly metrics: OtelMetrics
  readonly latestOnly: boolean
  readonly orgLabel: boolean
}

/** A call of a model that is under way. */
interface Call {
  readonly span: Span
  readonly begun: number
  readonly provider: string
  readonly model: string
}

type Outcome = Parameters<PromptTrace['end']>[0]

/** A span of the server for the prompt, and one of a client below it for each call of a model. */
export class OtelTrace implements PromptTrace {
  readonly #tools: TraceTools
  readonly #span: Span
  readonly #context: Context
  readonly #receivedAt: number
  #call: Call | undefined

  constructor(tools: TraceTools, { id, request, receivedAt }: Exchange, path: string) {
    const { api, tracer, propagator } = tools
    this.#tools = tools
    this.#receivedAt = receivedAt
    const parent = propagator.extract(api.ROOT_CONTEXT, request.headers, api.defaultTextMapGetter)
    const method = request.method ?? 'POST'
    const attributes = this.#named({ method, route: path, scheme: 'http', requestId: id })
    this.#span = tracer.startSpan(`${method} ${path}`, { kind: api.SpanKind.SERVER, attributes }, parent)
    this.#context = api.trace.setSpan(parent, this.#span)
  }

  calling({ target, session, stream }: Parameters<PromptTrace['calling']>[0]): readonly string[] {
    const { api, tracer, propagator } = this.#tools
    this.#endCall()
    const facts = factsOfTarget(target)
    const attributes = this.#named({ ...facts, conversation: session, stream: stream ? true : undefined })
    const model = String(facts.requestModel)
    const span = tracer.startSpan(`${operation} ${model}`, { kind: api.SpanKind.CLIENT, attributes }, this.#context)
    this.#call = { span, begun: performance.now(), provider: String(facts.provider), model }
    if (target.kind === 'engine' || !target.upstream.settings.traceContext) return []
    const carrier: Record<string, string> = {}
    propagator.inject(api.trace.setSpan(this.#context, span), carrier, api.defaultTextMapSetter)
    return Object.entries(carrier).flat()
  }

  callFailed({ status, errorCode }: Outcome): void {
    const call = this.#call
    if (call === undefined) return
    const errorType = errorCode ?? String(status)
    call.span.setAttributes(this.#named({ status }))
    this.#endCall(errorType)
    const seconds = (performance.now() - call.begun) / 1_000
    this.#tools.metrics.callFailed(call, { seconds, firstChunkSeconds: undefined, errorType })
  }

  metered(event: LedgerEvent): void {
    const { metrics, orgLabel } = this.#tools
    this.#span.setAttributes(this.#named(factsOfRequest(event, orgLabel)))
    const call = this.#call
    if (call === undefined) return
    const begunAfter = call.begun - this.#receivedAt
    const firstChunkMs = event.ttftMs === undefined ? undefined : Math.max(0, event.ttftMs - begunAfter)
    call.span.setAttributes(this.#named(factsOfAnswer(event, firstChunkMs)))
    const errorType = event.status < 400 ? undefined : (event.errorCode ?? String(event.status))
    this.#endCall(errorType)
    metrics.answered(event, call, {
      seconds: (performance.now() - call.begun) / 1_000,
      firstChunkSeconds: firstChunkMs === undefined ? undefined : firstChunkMs / 1_000,
      errorType,
    })
  }

  end({ status, errorCode }: Outcome): void {
    const { api } = this.#tools
    this.#endCall(errorCode ?? 'cancelled')
    // What a client did wrong is no error of the server.
    const errorType = status < 500 ? undefined : (errorCode ?? String(status))
    this.#span.setAttributes(this.#named({ status, errorType }))
    if (errorType !== undefined) this.#span.setStatus({ code: api.SpanStatusCode.ERROR })
    this.#span.end()
  }

  #endCall(errorType?: string): void {
    const call = this.#call
    if (call === undefined) return
    this.#call = undefined
    if (errorType !== undefined) {
      call.span.setAttributes(this.#named({ errorType }))
      call.span.setStatus({ code: this.#tools.api.SpanStatusCode.ERROR })
    }
    call.span.end()
  }

  #named(values: Parameters<typeof named>[0]): ReturnType<typeof named> {
    return named(values, this.#tools.latestOnly)
  }
}
