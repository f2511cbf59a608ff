import { expect, test } from 'vitest'
import { blockKeys, blockTokens } from './block-key.ts'
import type { BlockIdentity } from './block-key.ts'

const identity: BlockIdentity = { modelHash: '00'.repeat(32), stateFormat: 'format 1', scope: 'ab'.repeat(32) }
const tokens = Int32Array.from({ length: 2 * blockTokens + 50 }, (_, index) => index * 3)

test('D-53 block keys are the published ones, in every process', () => {
  expect(blockKeys(identity, tokens)).toEqual([
    'e7633cf0e0ebc37edaba18b4a7e678bca02bc0bd66fb9eb30a3ec1e6ba0ec9c3',
    '41990bd967dbecdf4451361f3d327ee02e80d7bf49e87834acea11801887849e',
  ])
})

test('a key stands for the whole prefix: what follows changes nothing, what precedes everything', () => {
  const [first, second] = blockKeys(identity, tokens)
  const later = tokens.slice()
  later[blockTokens] = 9
  expect(blockKeys(identity, later)[0]).toBe(first)
  expect(blockKeys(identity, later)[1]).not.toBe(second)
  const earlier = tokens.slice()
  earlier[0] = 9
  expect(blockKeys(identity, earlier)[1]).not.toBe(second)
})

test('P-5 F-3 another model, state format or scope gives other keys', () => {
  const own = blockKeys(identity, tokens)
  for (const other of [{ modelHash: '01'.repeat(32) }, { stateFormat: 'format 2' }, { scope: 'ac'.repeat(32) }]) {
    const keys = blockKeys({ ...identity, ...other }, tokens)
    expect(keys.filter((key) => own.includes(key))).toEqual([])
  }
})

test('fields are framed: moving a character from one to the next gives other keys', () => {
  const moved = { ...identity, stateFormat: 'format 1a', scope: identity.scope.slice(1) }
  expect(blockKeys(moved, tokens)).not.toEqual(blockKeys(identity, tokens))
})
