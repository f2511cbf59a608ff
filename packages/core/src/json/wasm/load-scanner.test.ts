import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetModules()
})

const forbidden = {
  Module: function (): never {
    throw new Error('Wasm code generation disallowed by embedder')
  },
}

test.each([
  ['there is no WebAssembly', undefined],
  ['compiling is forbidden', forbidden],
])('where %s, the JavaScript scanner serves', async (_, api) => {
  vi.stubGlobal('WebAssembly', api)
  vi.resetModules()
  const { loadScanner } = await import('./load-scanner.ts')
  expect(loadScanner()).toBeUndefined()
  const { wasmTape } = await import('./wasm-tape.ts')
  const { scanJson } = await import('../scan-json.ts')
  const bytes = new TextEncoder().encode('{"a":[1,"é"]}')
  expect(wasmTape(bytes, 128)).toBeUndefined()
  expect(scanJson(bytes).value(0)).toEqual({ a: [1, 'é'] })
  expect(() => scanJson(bytes.subarray(0, 5))).toThrow('expected a JSON value at byte 5')
})
