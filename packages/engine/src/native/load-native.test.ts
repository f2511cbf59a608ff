import { describe, expect, test } from 'vitest'
import { bindLlama } from './bindings.ts'
import { contextParamsLayout, modelParamsLayout } from './layout.ts'
import type { StructLayout } from './layout.ts'
import { loadNative } from './load-native.ts'
import { findLibrary } from './platform.ts'
import type { LibraryFiles } from './platform.ts'
import { checkLibrary } from './self-check.ts'

const linux = { platform: 'linux', arch: 'x64', glibc: '2.36' }

function files(): LibraryFiles {
  const search = findLibrary()
  if (search.kind === 'missing') throw new Error(search.reason)
  return search.files
}

/** The same layout with two fields of equal size in each other's place. */
function swapped(layout: StructLayout, first: string, second: string): StructLayout {
  return Object.fromEntries(
    Object.entries(layout).map(([name, field]) => {
      const renamed = name === first ? second : name === second ? first : name
      return [renamed, layout[renamed] ?? field]
    }),
  )
}

describe('finding the library', () => {
  test.each([
    [{ ...linux, glibc: undefined }, /engine unavailable: .*musl/],
    [{ ...linux, arch: 'riscv64' }, /no prebuilt llama\.cpp for linux-riscv64/],
    [{ platform: 'freebsd', arch: 'x64', glibc: undefined }, /no prebuilt llama\.cpp for freebsd-x64/],
  ])('%o has a reason', (host, reason) => {
    expect(findLibrary(host)).toEqual({ kind: 'missing', reason: expect.stringMatching(reason) })
  })

  test('a package that is not installed has a reason', () => {
    const search = findLibrary(linux, () => {
      throw new Error("Cannot find module '@node-llama-cpp/linux-x64'\nRequire stack:")
    })
    expect(search).toEqual({
      kind: 'missing',
      reason:
        "engine unavailable: package @node-llama-cpp/linux-x64 is not installed (Cannot find module '@node-llama-cpp/linux-x64')",
    })
  })
})

describe('the start-up check', () => {
  test('the pinned library passes', () => {
    expect(checkLibrary(bindLlama(files()))).toBeUndefined()
    expect(loadNative().kind).toBe('loaded')
    expect(loadNative()).toBe(loadNative())
  })

  test('another version is named', () => {
    expect(checkLibrary(bindLlama(files()), '9.9.9')).toBe('llama.cpp version is 0.5.0-dev, 9.9.9 expected')
  })

  test('a moved field of either struct is named', () => {
    const context = swapped(contextParamsLayout, 'n_ctx', 'n_batch')
    expect(checkLibrary(bindLlama(files(), { modelParams: modelParamsLayout, contextParams: context }))).toBe(
      'default context parameter "n_ctx" is 2048, 512 expected',
    )
    const model = swapped(modelParamsLayout, 'n_gpu_layers', 'split_mode')
    expect(checkLibrary(bindLlama(files(), { modelParams: model, contextParams: contextParamsLayout }))).toMatch(
      /default model parameter "n_gpu_layers" is 1, -1 expected/,
    )
  })
})
