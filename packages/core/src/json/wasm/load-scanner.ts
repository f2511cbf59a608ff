import { moduleBase64 } from './module-base64.ts'
import type { ScannerExports } from './wasm-scanner.ts'
import { WasmScanner } from './wasm-scanner.ts'

/** What is used of WebAssembly, which not every place that core runs in has. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/**
 * The scanner, ready to run; `undefined` where there is no WebAssembly, none with 128-bit vectors, or where
 * compiling at run time is forbidden (Cloudflare Workers, a content security policy).
 */
export function loadScanner(): WasmScanner | undefined {
  const { WebAssembly: api } = globalThis as { readonly WebAssembly?: WebAssemblyApi }
  if (api === undefined) return undefined
  try {
    const { exports } = new api.Instance(new api.Module(decode(moduleBase64)))
    // The module is ours, and a test compiles it from its source.
    return new WasmScanner(exports as ScannerExports)
  } catch {
    // Whatever kept it from running, the JavaScript scanner does the same work.
    return undefined
  }
}

function decode(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}
