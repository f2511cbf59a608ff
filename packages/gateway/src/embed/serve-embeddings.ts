import type { Prompt } from '@incipit/core'
import { IncipitError, fingerprint, parseEmbedding, readEmbedding, tokenCount, unreportedUsage } from '@incipit/core'
import { attemptUpstreams } from '../call/attempt-upstreams.ts'
import { requireEngine } from '../call/require-engine.ts'
import { dialects } from '../dialects.ts'
import type { House } from '../house.ts'
import { abortSignalOf } from '../http/cancellation.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import { isolate } from '../identify/isolate.ts'
import { identifySession } from '../identify/session.ts'
import { admit } from '../limits/admit.ts'
import { meter } from '../meter/meter.ts'
import type { Identified } from '../passage.ts'
import { Passage } from '../passage.ts'
import type { ReceivedBody } from '../receive/receive-body.ts'
import { receiveBody } from '../receive/receive-body.ts'
import { receiveHead } from '../receive/receive-head.ts'
import { refuse } from '../refuse/refuse.ts'
import { setOwnHeaders } from '../relay/answer-head.ts'
import type { HeldAnswer } from '../relay/held-answer.ts'
import { relay } from '../relay/relay.ts'
import type { EngineTarget, UpstreamTarget } from '../route/route.ts'
import { askerOf } from '../route/asker-of.ts'
import { route } from '../route/route.ts'
import { checkDimensions, embeddingsBody } from './embeddings-body.ts'
import { planEmbedding } from './plan-embedding.ts'

const dialect = dialects['openai-chat']

/**
 * Embeddings, on the line of a prompt without what concerns prefixes: of a local model computed here, of an upstream
 * that has them passed through byte for byte. The row of the ledger is recorded before the last byte.
 */
export async function serveEmbeddings(exchange: Exchange, path: string, house: House): Promise<void> {
  const passage = new Passage(exchange, dialect, house, house.tracing.begin(exchange, path))
  const { request } = exchange
  let body: ReceivedBody | undefined
  try {
    const head = receiveHead(request)
    const caller = house.keys.authenticate(request, 'data')
    body = await receiveBody(request, house.config.maxBodyBytes)
    const prompt = parseEmbedding(body.bytes)
    const scope = isolate(caller, { head, prompt, account: exchange.params['account'] }, house)
    const { session } = identifySession(request, { prompt, print: fingerprint(prompt, scope) }, house)
    const who: Identified = {
      request,
      caller,
      head,
      prompt,
      toSend: body.toSend,
      session,
      prefixCache: 'off',
      control: false,
      scope,
      wireHash: undefined,
      opening: undefined,
      subpath: undefined,
      embeds: true,
    }
    passage.identified(who)
    await admit({ who, passage, response: exchange.response }, house)
    const where = route(prompt.model, askerOf(caller, session), house.routes)
    const call = { exchange, house, passage, who }
    const held = where.kind === 'engine' ? await compute(call, where.target) : await pass(call, where.targets)
    await meter(passage, house)
    held.release()
  } catch (error) {
    await refuse(error, { exchange, dialect, passage, house })
  } finally {
    passage.trace.end(passage)
    body?.release()
    await passage.leave()
  }
}

interface Call {
  readonly exchange: Exchange
  readonly house: House
  readonly passage: Passage
  readonly who: Identified
}

async function compute({ exchange, house, passage, who }: Call, target: EngineTarget): Promise<HeldAnswer> {
  const { id, response, signal } = exchange
  const { prompt } = who
  const question = readEmbedding(prompt)
  passage.trying(target)
  passage.trace.calling({ target, session: who.session, stream: false })
  const request = { id, model: target.replica, inputs: question.inputs }
  const { vectors, tokens } = await requireEngine(house).embed(request, abortSignalOf(signal))
  checkDimensions(question, vectors)
  const count = tokenCount(tokens.reduce((sum, each) => sum + each, 0))
  const none = tokenCount(0)
  passage.prompted({
    promptTokens: count,
    cachedTokens: none,
    evaluatedTokens: count,
    tiers: { hot: none, ram: none, disk: none },
  })
  passage.generated(none)
  passage.answered()
  setOwnHeaders(response, passage)
  const body = embeddingsBody({ ...question, vectors, model: prompt.model, tokens: count })
  return { release: () => sendJson(response, 200, body) }
}

async function pass({ exchange, house, passage, who }: Call, all: readonly UpstreamTarget[]): Promise<HeldAnswer> {
  const targets = all.filter(({ upstream }) => upstream.kind.embeddings)
  if (targets.length === 0) throw nowhere(who.prompt, all)
  const { signal } = exchange
  const reply = await attemptUpstreams({ who, targets, house, passage, signal, plan: planEmbedding })
  const held = await relay(reply, { exchange, dialect, passage, prompt: who.prompt })
  // Embeddings have no output, and no prefix cache is read for them: nobody reports that.
  const { usage } = passage
  if (usage !== undefined)
    passage.used({ ...usage, buckets: { ...unreportedUsage, ...usage.buckets, output: tokenCount(0) } })
  return held
}

function nowhere({ model }: Prompt, targets: readonly UpstreamTarget[]): IncipitError {
  const names = [...new Set(targets.map(({ upstream }) => `"${upstream.name}"`))].join(', ')
  const message = `model "${model}" is served by ${names}, which has no embeddings`
  return new IncipitError('unsupported_feature', message, { param: '/model' })
}
