import type { Dialect, Prompt } from '@incipit/core'
import { fingerprint, IncipitError, toGeneration } from '@incipit/core'
import { requireModel } from '../authenticate/require-model.ts'
import { attemptUpstreams } from '../call/attempt-upstreams.ts'
import { checkStoredAnswers } from '../call/check-stored-answers.ts'
import { requireEngine } from '../call/require-engine.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import { isolate } from '../identify/isolate.ts'
import { identifySession } from '../identify/session.ts'
import type { Identified } from '../passage.ts'
import { Passage } from '../passage.ts'
import { receiveBytes } from '../receive/receive-body.ts'
import { receiveHead } from '../receive/receive-head.ts'
import { passHeadersOn } from '../relay/answer-head.ts'
import { askerOf } from '../route/asker-of.ts'
import { route } from '../route/route.ts'

/** How a dialect asks for the size of a prompt. */
export interface TokenCounter {
  readonly dialect: Dialect
  /** Below the path of the dialect: `/count_tokens`. */
  readonly subpath: string
  /** The body that says the count. */
  readonly render: (tokens: number) => string
}

/**
 * The number of tokens of a prompt: of a local model counted with its own tokenizer, of an upstream that can
 * count asked for there. Costs nothing and leaves no row.
 *
 * @throws IncipitError `not_found` where nobody can count: clients then estimate for themselves
 */
export async function countTokens(exchange: Exchange, counter: TokenCounter, house: House): Promise<void> {
  const { request, response, signal } = exchange
  const head = receiveHead(request)
  const caller = house.keys.authenticate(request, 'data')
  const bytes = await receiveBytes(request, house.config.maxBodyBytes)
  const prompt = counter.dialect.parse(bytes, {})
  requireModel(caller, prompt.model)
  const scope = isolate(caller, { head, prompt, account: undefined }, house)
  const print = fingerprint(prompt, scope)
  const { session } = identifySession(request, { prompt, print }, house)
  const where = route(prompt.model, askerOf(caller, session), house.routes)
  if (where.kind === 'engine') {
    sendJson(response, 200, counter.render(await countLocally(prompt, where.target.replica, counter, house)))
    return
  }
  const targets = where.targets.filter(
    ({ upstream }) => upstream.kind.counts && upstream.speaks.includes(prompt.dialect),
  )
  if (targets.length === 0)
    throw new IncipitError('not_found', `no upstream counts tokens of "${prompt.model}" in this dialect`)
  const who: Identified = {
    request,
    caller,
    head,
    prompt,
    toSend: () => [bytes],
    session,
    prefixCache: head.prefixCache ?? 'on',
    control: false,
    scope,
    wireHash: undefined,
    opening: undefined,
    subpath: counter.subpath,
  }
  await checkStoredAnswers(who, house)
  const passage = new Passage(exchange, counter.dialect, house)
  const reply = await attemptUpstreams({ who, targets, house, passage, signal })
  const refused = reply.kind === 'refusal'
  const body = refused ? reply.body : await reply.answer.bytes(2 ** 20)
  const { headers } = refused ? reply : reply.answer
  passHeadersOn(response, headers)
  if (headers['content-encoding'] !== undefined) response.setHeader('content-encoding', headers['content-encoding'])
  response.writeHead(refused ? reply.status : reply.answer.status, { 'content-length': body.length })
  response.end(body)
}

async function countLocally(prompt: Prompt, model: string, { dialect }: TokenCounter, house: House): Promise<number> {
  const generation = toGeneration(dialect.read(prompt), house.hasher)
  return (await requireEngine(house).tokenize(model, generation)).length
}
