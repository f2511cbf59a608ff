import { tokenCount } from '@incipit/core'
import { expect, test } from 'vitest'
import type { CachedPrefixes } from '../engine.ts'
import { RememberedListing } from './remembered-listing.ts'

const none = { nodes: 0, tokens: tokenCount(0) }

function anAnswer(): CachedPrefixes {
  return { nodes: [], totals: { hot: none, ram: none, disk: none } }
}

test('a large cache is not walked again and again; a small one always is, and so is any after a reset', () => {
  let now = 0
  const listing = new RememberedListing(() => now)
  const small = listing.of('a', 9_999, anAnswer)
  expect(listing.of('a', 9_999, anAnswer)).not.toBe(small)
  const large = listing.of('a', 50_000, anAnswer)
  expect(listing.of('b', 50_000, anAnswer)).not.toBe(large)
  now = 4_999
  expect(listing.of('a', 50_000, anAnswer)).toBe(large)
  now = 5_000
  const later = listing.of('a', 50_000, anAnswer)
  expect(later).not.toBe(large)
  expect(listing.of('a', 50_000, anAnswer)).toBe(later)
  listing.forget()
  expect(listing.of('a', 50_000, anAnswer)).not.toBe(later)
})

test('only the latest questions are remembered', () => {
  const listing = new RememberedListing(() => 0)
  const first = listing.of(0, 50_000, anAnswer)
  for (let question = 1; question <= 7; question++) listing.of(question, 50_000, anAnswer)
  expect(listing.of(0, 50_000, anAnswer)).toBe(first)
  listing.of(8, 50_000, anAnswer)
  expect(listing.of(0, 50_000, anAnswer)).not.toBe(first)
})
