import { expect, test } from 'vitest'
import { committedWasm, compileWasm } from '../scripts/build-wasm.mjs'

test('the WebAssembly module in core is what its source compiles to', async () => {
  expect(committedWasm()).toBe(await compileWasm())
})
