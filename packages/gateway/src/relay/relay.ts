import type { Dialect, Prompt } from '@incipit/core'
import { IncipitError } from '@incipit/core'
import type { UpstreamRefusal } from '../call/attempt-upstreams.ts'
import type { Reply } from '../call/call-model.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Passage } from '../passage.ts'
import { passHeadersOn, setOwnHeaders } from './answer-head.ts'
import type { HeldAnswer, Relay } from './held-answer.ts'
import { readUpstream } from './read-upstream.ts'
import { relayEvents } from './relay-events.ts'
import { relayPassing } from './relay-passing.ts'

export interface RelayInput {
  readonly exchange: Exchange
  /** The dialect the client expects. */
  readonly dialect: Dialect
  readonly passage: Passage
  readonly prompt: Prompt
}

/**
 * Brings a reply to the client in its own dialect: bytes pass where the upstream speaks it, else events are
 * read and rendered. All but what completes the answer has left when this resolves.
 *
 * @throws IncipitError when the answer fails before its head has left
 * @example const held = await relay(reply, { exchange, dialect, passage, prompt })
 */
export async function relay(reply: Reply, input: RelayInput): Promise<HeldAnswer> {
  const { exchange, dialect, passage, prompt } = input
  const context = { id: exchange.id, model: prompt.model, createdAt: passage.at, prompt }
  const stream = prompt.stream
  if (reply.kind === 'events') return relayEvents({ exchange, dialect, passage, context, stream }, reply.events)
  const spoken = reply.plan.dialect
  if (reply.kind === 'refusal') return relayRefusal(reply, { exchange, dialect, passage, context, spoken })
  const { answer, plan } = reply
  try {
    if (spoken.name === dialect.name) {
      const hidesUsage = plan.hidesUsage && dialect.alwaysStreamUsage !== true
      return await relayPassing({ exchange, dialect, passage, context, spoken, answer, hidesUsage })
    }
    return await relayEvents({ exchange, dialect, passage, context, stream }, readUpstream(answer, spoken, passage))
  } catch (error) {
    // Whatever went wrong here, nobody reads on: the connection would stay taken.
    answer.abort(new IncipitError('client_closed', 'the answer is not read any further'))
    throw error
  }
}

/** An upstream's error, unmodified for a client of its dialect: clients act on its exact words. */
function relayRefusal({ status, headers, body }: UpstreamRefusal, relay: Relay): HeldAnswer {
  const { exchange, dialect, passage, spoken } = relay
  const { response } = exchange
  passage.passedOn(status)
  setOwnHeaders(response, passage)
  passHeadersOn(response, headers)
  const same = spoken.name === dialect.name
  const rendered = same
    ? undefined
    : dialect.fault(spoken.readFault(status, body.toString('utf8')), status, exchange.id)
  const bytes = rendered === undefined ? body : Buffer.from(rendered.body)
  if (rendered !== undefined) response.setHeader('content-type', 'application/json; charset=utf-8')
  if (rendered === undefined && headers['content-encoding'] !== undefined) {
    response.setHeader('content-encoding', headers['content-encoding'])
  }
  response.setHeader('content-length', bytes.length)
  return {
    release: () => {
      response.writeHead(rendered?.status ?? status)
      response.end(bytes)
    },
  }
}
