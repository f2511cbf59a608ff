import type { Dialect } from '@incipit/core'
import { fingerprint } from '@incipit/core'
import { callModel } from './call/call-model.ts'
import type { House } from './house.ts'
import type { Exchange } from './http/exchange.ts'
import { serviceOf } from './identify/control-group.ts'
import { isolate } from './identify/isolate.ts'
import { openingHash } from './identify/opening.ts'
import { identifySession } from './identify/session.ts'
import { admit } from './limits/admit.ts'
import { meter } from './meter/meter.ts'
import { Passage } from './passage.ts'
import { parseBody } from './receive/parse-body.ts'
import type { ReceivedBody } from './receive/receive-body.ts'
import { receiveBody } from './receive/receive-body.ts'
import { receiveHead } from './receive/receive-head.ts'
import { refuse } from './refuse/refuse.ts'
import { relay } from './relay/relay.ts'
import { askerOf } from './route/asker-of.ts'
import { route } from './route/route.ts'

/** How a path is spoken to. */
export interface Door {
  /** As the table of routes has it. */
  readonly path: string
  /** The dialect of the answer. */
  readonly dialect: Dialect
  /** A dialect that bodies come in here, too, though it is not the answer's. */
  readonly otherwise?: Dialect
  /** Below the dialect's own path, where it is not that: `/compact`. */
  readonly subpath?: string
}

/**
 * The line every prompt walks, in one direction:
 * receive head -> authenticate -> receive body -> parse -> fingerprint -> admit -> route -> per attempt { plan -> call } -> relay -> meter.
 * A refusal at any stage leaves in the caller's dialect; the row of the ledger is recorded before the last byte.
 */
export async function servePrompt(exchange: Exchange, door: Door, house: House): Promise<void> {
  const { dialect } = door
  const passage = new Passage(exchange, dialect, house, house.tracing.begin(exchange, door.path))
  const { request, params, signal } = exchange
  let body: ReceivedBody | undefined
  try {
    const head = receiveHead(request)
    const caller = house.keys.authenticate(request, 'data')
    body = await receiveBody(request, house.config.maxBodyBytes)

    const prompt = parseBody(body.bytes, door, { pathModel: params['model'] })
    const scope = isolate(caller, { head, prompt, account: params['account'] }, house)
    const print = fingerprint(prompt, scope)
    const { session } = identifySession(request, { prompt, print }, house)
    const who = {
      request,
      caller,
      head,
      prompt,
      toSend: body.toSend,
      session,
      ...serviceOf({ head, session, fraction: house.config.controlFraction }, house),
      scope,
      wireHash: print.wireHash,
      opening: openingHash(prompt, print),
      subpath: door.subpath,
    }
    passage.identified(who)
    await admit({ who, passage, response: exchange.response }, house)

    const where = route(prompt.model, askerOf(caller, session), house.routes)
    const reply = await callModel({ id: exchange.id, who, where, house, passage, signal })
    const held = await relay(reply, { exchange, dialect, passage, prompt })
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
