import { IncipitError } from '@incipit/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Model } from '../native/contract.ts'
import { someTokens, temporaryDirectory, tinyModel } from '../testing/native-fixture.ts'
import { SchedulerBench } from '../testing/scheduler-fixture.ts'
import { WaitEstimate } from './wait-estimate.ts'

let model: Model
const open: SchedulerBench[] = []

beforeAll(() => {
  model = tinyModel(temporaryDirectory())
})
afterEach(() => {
  for (const bench of open.splice(0)) bench.close()
})
afterAll(() => model.close())

async function aBench(maxConcurrent: number, maxQueued: number): Promise<SchedulerBench> {
  const bench = await SchedulerBench.of(model, { maxConcurrent, maxQueued, timeless: true })
  open.push(bench)
  return bench
}

let seed = 0
const submit = (bench: SchedulerBench, org: string, session = ''): string =>
  bench.submit({ prompt: someTokens(20, ++seed), sharing: { org, session } })

function refusalOf(action: () => unknown): IncipitError | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (IncipitError.is(error)) return error
    throw error
  }
}

test('one organisation may have the whole line, until another comes', async () => {
  const bench = await aBench(1, 5)
  const crowd = Array.from({ length: 6 }, () => submit(bench, 'a'))
  expect(refusalOf(() => submit(bench, 'a'))).toMatchObject({
    code: 'overloaded',
    message: '6 requests are running or waiting, 6 allowed',
    retryAfterSeconds: expect.any(Number),
  })
  const others = Array.from({ length: 3 }, () => submit(bench, 'b'))
  // Half of the line each, and no more.
  expect(refusalOf(() => submit(bench, 'b'))).toMatchObject({ code: 'overloaded' })
  const third = submit(bench, 'c')
  await bench.drain()
  const refused = [...crowd, ...others, third].filter((id) => bench.outcome(id).error !== undefined)
  expect(refused).toEqual(crowd.slice(2))
  for (const id of refused) {
    expect(bench.outcome(id).error).toMatchObject({ code: 'overloaded', retryAfterSeconds: expect.any(Number) })
    expect(bench.events(id)).toEqual([])
  }
})

test('in one organisation the session with most waiting gives way', async () => {
  const bench = await aBench(1, 3)
  const many = Array.from({ length: 4 }, () => submit(bench, 'a', 'many'))
  const one = submit(bench, 'a', 'one')
  expect(refusalOf(() => submit(bench, 'a', 'many'))).toMatchObject({ code: 'overloaded' })
  await bench.drain()
  expect(many.map((id) => bench.outcome(id).error?.code)).toEqual([undefined, undefined, undefined, 'overloaded'])
  expect(bench.outcome(one).reason).toBeDefined()
})

test('one that has begun is never given up for a newcomer', async () => {
  const bench = await aBench(2, 0)
  const running = [submit(bench, 'a'), submit(bench, 'a')]
  await bench.scheduler.step()
  expect(refusalOf(() => submit(bench, 'b'))).toMatchObject({ code: 'overloaded' })
  await bench.drain()
  for (const id of running) expect(bench.outcome(id).reason).toBeDefined()
})

test('when to come again follows from how long requests take and how many wait', () => {
  const estimate = new WaitEstimate()
  for (let at = 0; at < 100; at++) estimate.note(4_000)
  expect(estimate.seconds({ waiting: 0, servedMs: [0, 0] })).toBe(2)
  expect(estimate.seconds({ waiting: 9, servedMs: [0, 0] })).toBe(20)
  // Those that run take longer than those before them.
  expect(estimate.seconds({ waiting: 0, servedMs: [30_000, 10_000] })).toBe(10)
  expect(estimate.seconds({ waiting: 1_000, servedMs: [0] })).toBe(60)
  expect(new WaitEstimate().seconds({ waiting: 0, servedMs: [] })).toBe(1)
})
