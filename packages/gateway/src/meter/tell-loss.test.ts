import { milliseconds, requestId } from '@incipit/core'
import pino from 'pino'
import { expect, test } from 'vitest'
import type { House } from '../house.ts'
import { tellLoss } from './tell-loss.ts'

test('of a thousand lost events a second the log has one line in ten seconds, with how many there were', () => {
  const lines: unknown[] = []
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) })
  let now = 0
  const clock = { monotonic: () => milliseconds(now) }
  const house = { ledger: {}, log, clock } as unknown as House // no more of it is used
  for (let count = 0; count < 10_001; count++, now += 1) tellLoss(new Error('full'), requestId(`req_${count}`), house)
  expect(lines).toMatchObject([
    { request_id: 'req_0', others_lost_before: 0 },
    { request_id: 'req_10000', others_lost_before: 9_999 },
  ])
})
