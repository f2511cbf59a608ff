import { bindLlama } from './bindings.ts'
import type { LlamaFunctions } from './bindings.ts'
import type { Native } from './contract.ts'
import { LlamaModel } from './llama-model.ts'
import { NativeLog } from './log.ts'
import { findLibrary, pinnedPackageVersion } from './platform.ts'
import type { LibraryFiles } from './platform.ts'
import { checkLibrary } from './self-check.ts'

/** The library, or why there is none. */
export type NativeLoad =
  | { readonly kind: 'loaded'; readonly native: Native }
  | { readonly kind: 'unavailable'; readonly reason: string }

let loaded: NativeLoad | undefined

/**
 * Loads llama.cpp for this machine; never throws. The first call does the work (about 0.1 s), further
 * calls give the same answer: the library keeps its state per process.
 *
 * @example
 * const load = loadNative()
 * if (load.kind === 'unavailable') console.error(load.reason)
 */
export function loadNative(): NativeLoad {
  return (loaded ??= load())
}

function load(): NativeLoad {
  const search = findLibrary()
  if (search.kind === 'missing') return { kind: 'unavailable', reason: search.reason }
  const { files } = search
  if (files.packageVersion !== pinnedPackageVersion) {
    return unavailable(`${files.packageName} is version ${files.packageVersion}, ${pinnedPackageVersion} expected`)
  }
  try {
    return start(files)
  } catch (error) {
    return unavailable(`cannot load ${files.packageName}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function start(files: LibraryFiles): NativeLoad {
  const llama: LlamaFunctions = bindLlama(files)
  const difference = checkLibrary(llama)
  if (difference !== undefined) return unavailable(`${files.packageName} is not the expected build: ${difference}`)
  const log = NativeLog.attach(llama)
  llama.ggml_backend_load_all_from_path(files.directory)
  llama.llama_backend_init()
  const library = { llama, log, version: llama.llama_version() }
  const native: Native = {
    version: library.version,
    packageName: `${files.packageName}@${files.packageVersion}`,
    loadModel: (path, options) => new LlamaModel(library, path, options.dataDir),
  }
  return { kind: 'loaded', native }
}

function unavailable(why: string): NativeLoad {
  return { kind: 'unavailable', reason: `engine unavailable: ${why}` }
}
