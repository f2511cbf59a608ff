import type { Dialect } from '@incipit/core'
import { fingerprint } from '@incipit/core'
import { callEngine } from './call/call-engine.ts'
import type { House } from './house.ts'
import type { Exchange } from './http/exchange.ts'
import { isolate } from './identify/isolate.ts'
import { identifySession } from './identify/session.ts'
import { meter } from './meter/meter.ts'
import { Passage } from './passage.ts'
import { receiveBody } from './receive/receive-body.ts'
import { receiveHead } from './receive/receive-head.ts'
import { refuse } from './refuse/refuse.ts'
import { relayGeneration } from './relay/relay-generation.ts'
import { route } from './route/route.ts'

/**
 * The line every prompt walks, in one direction:
 * receive head -> authenticate -> receive body -> parse -> route -> fingerprint -> call -> relay -> meter.
 * A refusal at any stage leaves in the caller's dialect; the row of the ledger is committed before the last byte.
 */
export async function servePrompt(exchange: Exchange, dialect: Dialect, house: House): Promise<void> {
  const passage = new Passage(exchange, dialect, house)
  const { request, params, signal } = exchange
  try {
    const head = receiveHead(request)
    const caller = house.keys.authenticate(request)
    const body = await receiveBody(request, house.config.maxBodyBytes)

    const prompt = dialect.parse(body, { pathModel: params['model'] })
    const { session } = identifySession(request, prompt, house)
    const target = route(prompt.model, session, house.routes)

    const snapshot = house.snapshots.snapshotOf(target.model, session)
    const scope = isolate(caller, { head, prompt, account: params['account'], snapshot }, house)
    const { wireHash } = fingerprint(prompt, scope)
    passage.identified({ caller, head, prompt, session, target, scope, wireHash })

    const generation = dialect.toGeneration(prompt)
    const { prefixCache } = head
    const events = callEngine(
      house,
      { id: exchange.id, model: target.replica, scopeKey: scope.key, generation, prefixCache },
      signal,
    )
    const held = await relayGeneration({ exchange, dialect, passage, prompt }, events)
    await meter(passage, house)
    held.release()
  } catch (error) {
    await refuse(error, { exchange, dialect, passage, house })
  }
}
