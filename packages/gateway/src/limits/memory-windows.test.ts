import { epochMs, milliseconds } from '@incipit/core'
import { assert, asyncProperty, array, constantFrom, integer, oneof, record, constant } from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryWindows } from './memory-windows.ts'
import type { Taken } from './rate-windows.ts'
import { windowMs } from './rate-windows.ts'

/** A clock that stands still until it is set. */
function aClock(): {
  at: number
  now: () => ReturnType<typeof epochMs>
  monotonic: () => ReturnType<typeof milliseconds>
} {
  const clock = {
    at: Date.UTC(2026, 10, 26),
    now: () => epochMs(clock.at),
    monotonic: () => milliseconds(0),
  }
  return clock
}

type Step =
  | { readonly kind: 'take'; readonly name: string; readonly points: number }
  | { readonly kind: 'correct'; readonly index: number; readonly points: number }
  | { readonly kind: 'pass'; readonly ms: number }

const steps = array(
  oneof(
    record({ kind: constant('take' as const), name: constantFrom('a', 'b'), points: integer({ min: 0, max: 6 }) }),
    record({
      kind: constant('correct' as const),
      index: integer({ min: 0, max: 9 }),
      points: integer({ min: -3, max: 3 }),
    }),
    record({ kind: constant('pass' as const), ms: integer({ min: -40_000, max: 70_000 }) }),
  ),
  { maxLength: 60 },
)

test('windows are those of a naive model, under any order of takes, corrections and steps of the clock', async () => {
  await assert(
    asyncProperty(steps, async (sequence: readonly Step[]) => {
      const clock = aClock()
      const windows = new MemoryWindows(clock)
      const model = new Map<string, { starts: number; used: number }>()
      const current = (name: string): { starts: number; used: number } | undefined => {
        const known = model.get(name)
        return known !== undefined && known.starts <= clock.at && clock.at < known.starts + windowMs ? known : undefined
      }
      const opened = (name: string): { starts: number; used: number } => {
        const known = current(name)
        if (known !== undefined) return known
        const fresh = { starts: clock.at, used: 0 }
        model.set(name, fresh)
        return fresh
      }
      const limit = 10
      const taken: { name: string; state: Taken }[] = []
      const expected: Taken[] = []
      for (const step of sequence) {
        if (step.kind === 'pass') clock.at += step.ms
        else if (step.kind === 'take') {
          const window = opened(step.name)
          const fits = window.used + step.points <= limit
          if (fits) window.used += step.points
          const state = await windows.take({ name: step.name, limit }, step.points)
          taken.push({ name: step.name, state })
          const endsAt = epochMs(window.starts + windowMs)
          expected.push({ kind: fits ? 'taken' : 'refused', used: window.used, endsAt })
        } else {
          const one = taken[step.index % Math.max(1, taken.length)]
          if (one === undefined) continue
          const window = step.points > 0 ? opened(one.name) : current(one.name)
          const isSame = window !== undefined && window.starts + windowMs === one.state.endsAt
          if (window !== undefined && (step.points > 0 || isSame)) window.used += step.points
          await windows.correct({ name: one.name, limit }, step.points, one.state)
        }
      }
      expect(taken.map(({ state }) => state)).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

test('of 50 that ask at the same time, 10 get in under a limit of 10, and the refused count for nothing', async () => {
  const clock = aClock()
  const windows = new MemoryWindows(clock)
  const rule = { name: 'key', limit: 10 }
  const all = await Promise.all(Array.from({ length: 50 }, () => windows.take(rule, 1)))
  expect(all.filter(({ kind }) => kind === 'taken')).toHaveLength(10)
  expect(await windows.take({ ...rule, limit: 11 }, 1)).toMatchObject({ kind: 'taken', used: 11 })
  clock.at += windowMs
  expect(await windows.take(rule, 1)).toMatchObject({ kind: 'taken', used: 1 })
})

test('giving back after the clock was set back opens no window', async () => {
  const clock = aClock()
  const windows = new MemoryWindows(clock)
  const rule = { name: 'key', limit: 10 }
  const taken = await windows.take(rule, 2)
  clock.at -= 1
  await windows.correct(rule, -2, taken)
  await windows.correct(rule, 0, taken)
  clock.at += 1
  expect(await windows.take(rule, 1)).toEqual({ kind: 'taken', used: 3, endsAt: taken.endsAt })
})

test('a limit that is changed counts what the window has taken before', async () => {
  const windows = new MemoryWindows(aClock())
  await windows.take({ name: 'key', limit: 5 }, 5)
  expect(await windows.take({ name: 'key', limit: 6 }, 1)).toMatchObject({ kind: 'taken', used: 6 })
  expect(await windows.take({ name: 'key', limit: 3 }, 1)).toMatchObject({ kind: 'refused', used: 6 })
})
