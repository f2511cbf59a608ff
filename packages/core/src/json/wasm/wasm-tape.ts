import { loadScanner } from './load-scanner.ts'
import type { WasmScanner } from './wasm-scanner.ts'

/** Once for each thread; `null` where it cannot run. */
let scanner: WasmScanner | null | undefined

/**
 * The tape of a JSON text (see `writeTape`), several times as fast at every size.
 * @returns `undefined` where WebAssembly cannot run here, the text is not valid, nests too deep, or is too large
 */
export function wasmTape(bytes: Uint8Array, maxDepth: number): Int32Array | undefined {
  if (scanner === undefined) scanner = loadScanner() ?? null
  return scanner?.scan(bytes, maxDepth)
}
