import type { LlamaFunctions } from './bindings.ts'
import { contextParamsLayout, modelParamsLayout, pinnedLibraryVersion } from './layout.ts'
import type { StructLayout } from './layout.ts'

/**
 * Compares the loaded library with what the binding was written for: its version, and both structs of
 * default parameters field by field. A call with a wrong layout would corrupt memory, so nothing else
 * is called before this.
 *
 * @returns the first difference in words, or `undefined`
 * @example checkLibrary(bindLlama(files)) // undefined
 */
export function checkLibrary(
  llama: LlamaFunctions,
  expectedVersion: string = pinnedLibraryVersion,
): string | undefined {
  const version = llama.llama_version()
  if (version !== expectedVersion) return `llama.cpp version is ${version}, ${expectedVersion} expected`
  return (
    firstDifference('model', llama.llama_model_default_params(), modelParamsLayout) ??
    firstDifference('context', llama.llama_context_default_params(), contextParamsLayout)
  )
}

function firstDifference(
  what: string,
  actual: Readonly<Record<string, unknown>>,
  layout: StructLayout,
): string | undefined {
  for (const [field, [, expected]] of Object.entries(layout)) {
    if (!Object.is(actual[field], expected)) {
      return `default ${what} parameter "${field}" is ${String(actual[field])}, ${String(expected)} expected`
    }
  }
  return undefined
}
