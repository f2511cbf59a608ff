import type { EpochMs } from '@incipit/core'
import { IncipitError } from '@incipit/core'
import { z } from 'zod'
import { requireAdmin } from '../authenticate/authenticate.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import type { TestClock } from '../ports/clock.ts'
import { controlBody } from './control-body.ts'

const advanceSchema = z.strictObject({ advance_ms: z.int().min(0).max(1e12) })

/** `POST /admin/clock {"advance_ms": n}`: exists with `--test-clock` only, and only from this machine; any content type, as on the emulator. */
export async function advanceClock(exchange: Exchange, house: House, clock: TestClock): Promise<void> {
  const address = exchange.request.socket.remoteAddress ?? ''
  if (!/^(127\.|::1$|::ffff:127\.)/.test(address)) {
    throw new IncipitError('forbidden', 'the test clock is moved from this machine only')
  }
  requireAdmin(house.keys.authenticate(exchange.request))
  const { advance_ms: ms } = await controlBody(exchange.request, advanceSchema, { anyType: true })
  const now = advanced(clock, ms)
  house.log.info({ advance_ms: ms }, 'the test clock moved')
  sendJson(exchange.response, 200, JSON.stringify({ now: new Date(now).toISOString(), now_ms: now }))
}

function advanced(clock: TestClock, ms: number): EpochMs {
  try {
    return clock.advance(ms)
  } catch (cause) {
    throw new IncipitError('invalid_request', (cause as RangeError).message, { param: '/advance_ms', cause })
  }
}
