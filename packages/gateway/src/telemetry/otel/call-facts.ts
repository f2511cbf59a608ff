import type { AttributeValue } from '@opentelemetry/api'
import { picoUsd, usd } from '@incipit/core'
import type { LedgerEvent } from '../../ledger/port.ts'
import type { Target } from '../../route/route.ts'
import type { AttributeKey } from './gen-ai-names.ts'
import { providers } from './gen-ai-names.ts'

type Facts = Partial<Record<AttributeKey, AttributeValue | undefined>>

/** Longest name of a model in a span: clients may write anything there. */
const longestModel = 200

export const operation = 'chat'

/** What is known before a model is called. */
export function factsOfTarget(target: Target): Facts {
  if (target.kind === 'engine') {
    return {
      operation,
      provider: providerName('engine'),
      requestModel: target.model,
      upstream: 'engine',
      replica: target.replica,
    }
  }
  const { hostname, port, protocol } = new URL(target.replica.endpoint.origin)
  return {
    operation,
    provider: providerName(target.upstream.provider ?? target.upstream.settings.kind),
    requestModel: target.model.slice(0, longestModel),
    upstream: target.upstream.name,
    replica: target.replica.name,
    serverAddress: hostname,
    serverPort: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  }
}

/** What the row of a request adds about the call that answered it. */
export function factsOfAnswer(event: LedgerEvent, firstChunkMs: number | undefined): Facts {
  const { provider, answerId, inputTokens, usage, stream } = event
  return {
    ...(provider === undefined ? {} : { provider: providerName(provider) }),
    responseId: answerId,
    inputTokens,
    outputTokens: usage.output,
    readTokens: event.cachedInputTokens,
    writeTokens: writtenTokens(event),
    firstChunk: stream && firstChunkMs !== undefined ? firstChunkMs / 1_000 : undefined,
    status: event.status,
  }
}

/** What the row of a request adds about the request as a whole. */
export function factsOfRequest(event: LedgerEvent, orgLabel: boolean): Facts {
  const { cost, counterfactual } = event
  return {
    dialect: event.dialect,
    requestModel: event.model.slice(0, longestModel),
    upstream: event.upstream,
    conversation: event.session,
    stream: event.stream,
    prefix: event.wireHash,
    verdict: event.verdict,
    cause: event.cause,
    reuse: event.reuse,
    control: event.control ? true : undefined,
    edits: event.edits.length === 0 ? undefined : [...event.edits],
    org: orgLabel ? event.org : undefined,
    cost: cost === undefined ? undefined : usd(picoUsd(cost)),
    counterfactual: counterfactual === undefined ? undefined : usd(picoUsd(counterfactual)),
  }
}

/** As the conventions call it; who has no name there keeps ours. */
export function providerName(name: string): string {
  return providers[name] ?? name
}

/** Tokens written to a prefix cache, of every life; `undefined` where none was reported. */
export function writtenTokens({ usage }: LedgerEvent): number | undefined {
  const writes = [usage.write5m, usage.write30m, usage.write1h, usage.write12h].filter((count) => count !== undefined)
  return writes.length === 0 ? undefined : writes.reduce((sum: number, count) => sum + count, 0)
}
