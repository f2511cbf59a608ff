import { expect, test } from 'vitest'
import { newRequestId } from './request-id.ts'

test('ids are unique, begin with the second they were made in, and sort by it', () => {
  const before = Math.floor(Date.now() / 1_000)
  const ids = Array.from({ length: 1_000 }, newRequestId)
  const after = Math.floor(Date.now() / 1_000)
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) {
    expect(id).toMatch(/^req_[0-9a-f]{24}$/)
    const second = Number.parseInt(id.slice(4, 12), 16)
    expect(second).toBeGreaterThanOrEqual(before)
    expect(second).toBeLessThanOrEqual(after)
  }
})
