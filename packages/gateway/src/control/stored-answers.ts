import { IncipitError, sessionId } from '@incipit/core'
import type { Caller } from '../authenticate/authenticate.ts'
import { requireStoredAnswer } from '../call/check-stored-answers.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { allScopes, mayUseUpstream } from '../keys/scopes.ts'
import { withoutKey } from '../plan/plan-attempt.ts'
import { resourceHeaders } from '../plan/upstream-headers.ts'
import { receiveBytes } from '../receive/receive-body.ts'
import { passHeadersOn } from '../relay/answer-head.ts'
import { awaitDrain } from '../relay/await-drain.ts'
import { EventQueue } from '../relay/event-queue.ts'
import type { UpstreamAnswer } from '../upstreams/upstream-answer.ts'
import { refuseRedirect, UpstreamFailure } from '../upstreams/upstream-failure.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { replicasFor } from '../upstreams/upstream.ts'
import { isPlainPart } from './plain-part.ts'

/**
 * `GET`, `DELETE` and `POST` below `/v1/responses/{id}`: answers that OpenAI has stored, passed through to where
 * they are. An organisation reaches its own only.
 */
export async function passStoredAnswer(exchange: Exchange, house: House): Promise<void> {
  const { request, response, signal, params, url } = exchange
  const caller = house.keys.authenticate(request, 'data')
  const parts = ['responses', ...partsOf(params)]
  const upstream = await upstreamOf(params['id'] ?? '', caller, house)
  const body = request.method === 'POST' ? await receiveBytes(request, house.config.maxBodyBytes) : undefined
  const [replica] = replicasFor(upstream, sessionId(params['id'] ?? ''))
  if (replica === undefined)
    throw new IncipitError('upstream_unavailable', `upstream "${upstream.name}" has no replica`)
  const path = `${replica.endpoint.root}${replica.endpoint.version}/${parts.join('/')}${withoutKey(url.search)}`
  const sent = body?.length === 0 ? undefined : body
  const headers = resourceHeaders({ request, caller }, upstream)
  if (sent !== undefined) headers.push('content-type', 'application/json')
  const method = methodOf(request)
  const answer = await replica.transport
    .send({ method, path, headers, body: sent === undefined ? [] : [sent] }, signal)
    .then((reply) => {
      refuseRedirect(reply)
      return reply
    })
    .catch((cause: unknown) => {
      if (!(cause instanceof UpstreamFailure)) throw cause
      throw new IncipitError(cause.code, `upstream "${upstream.name}": ${cause.message}`, { cause })
    })
  response.statusCode = answer.status
  passHeadersOn(response, answer.headers)
  const { 'content-encoding': coding } = answer.headers
  if (coding !== undefined) response.setHeader('content-encoding', coding)
  for await (const chunk of chunksOf(answer)) if (!response.write(chunk)) await awaitDrain(response, signal)
  response.end()
}

function methodOf({ method }: Exchange['request']): 'GET' | 'POST' | 'DELETE' {
  return method === 'POST' || method === 'DELETE' ? method : 'GET'
}

async function upstreamOf(id: string, caller: Caller, house: House): Promise<Upstream> {
  const able = house.routes.upstreams.filter(
    ({ name, kind, settings, speaks }) =>
      kind.resources &&
      mayUseUpstream(caller.grant?.scopes ?? allScopes, name) &&
      speaks.includes('openai-responses') &&
      (settings.credentials === 'client' || !caller.ownCredential),
  )
  const shared = house.keys.organisations > 1 && !caller.ownCredential
  const name = shared
    ? await requireStoredAnswer(id, caller, house)
    : (await house.ledger.findStoredAnswer(id))?.upstream
  const isElsewhere = house.routes.upstreams.some((upstream) => upstream.name === name)
  // Under a name that is gone from the configuration, the answer is looked for where answers are stored now.
  const found = able.find((upstream) => upstream.name === name) ?? (isElsewhere ? undefined : able[0])
  if (found === undefined) throw new IncipitError('unknown_route', 'no upstream here stores answers')
  return found
}

/**
 * What stands below `/responses`, as it leaves. A part that says `..`, however it is encoded, would lead from an
 * answer of the caller's own to those of others, and out of the answers altogether.
 */
function partsOf({ id, rest }: Exchange['params']): string[] {
  const parts = [id, rest].filter((part) => part !== undefined)
  if (parts.every(isPlainPart)) return parts.map(encodeURIComponent)
  throw new IncipitError('unknown_route', 'there is nothing at this path below /responses')
}

function chunksOf(answer: UpstreamAnswer): EventQueue<Buffer> {
  const queue = new EventQueue<Buffer>({ resume: () => answer.resume() })
  answer.pipe({
    data: (chunk) => {
      queue.push(chunk)
      return !queue.full
    },
    end: () => queue.end(),
    failed: (error) =>
      queue.fail(IncipitError.is(error) ? error : new IncipitError(error.code, error.message, { cause: error })),
  })
  return queue
}
