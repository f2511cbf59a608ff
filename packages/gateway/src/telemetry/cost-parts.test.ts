import { picoUsd } from '@incipit/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { costParts } from './cost-parts.ts'

const money = fc.bigInt(0n, 10n ** 15n)

test('P-4 the parts of a cost add up to it and none is negative, whichever of them are known', () => {
  const maybe = fc.option(money, { nil: undefined })
  fc.assert(
    fc.property(
      fc.constantFrom('request', 'ping', 'storage', 'prewarm'),
      money,
      maybe,
      maybe,
      maybe,
      (kind, ...amounts) => {
        const [cost, read, write, output] = amounts
        const usd = (amount: bigint | undefined) => (amount === undefined ? undefined : picoUsd(amount))
        const parts = costParts({
          kind,
          cost: picoUsd(cost),
          costRead: usd(read),
          costWrite: usd(write),
          costOutput: usd(output),
        } as const)
        expect(parts.reduce((sum, [, amount]) => sum + amount, 0n)).toBe(cost)
        expect(parts.every(([, amount]) => amount >= 0n)).toBe(true)
      },
    ),
  )
})

test('a cost that is not known, or a credit, has no parts', () => {
  const credit = {
    kind: 'request',
    cost: picoUsd(-1n),
    costRead: undefined,
    costWrite: undefined,
    costOutput: undefined,
  } as const
  expect(costParts(credit)).toEqual([])
  expect(
    costParts({ kind: 'request', cost: undefined, costRead: picoUsd(1n), costWrite: undefined, costOutput: undefined }),
  ).toEqual([])
})
