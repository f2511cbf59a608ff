import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The version of the prebuilt packages this binding was written for: struct layouts change between versions. */
export const pinnedPackageVersion = '3.22.1'

/** The machine, as far as the choice of a prebuilt library depends on it. */
export interface Host {
  readonly platform: string
  readonly arch: string
  /** Version of glibc; `undefined` on musl and where there is no libc of that kind. */
  readonly glibc: string | undefined
}

/** Where the libraries of one prebuilt package lie. */
export interface LibraryFiles {
  readonly packageName: string
  readonly packageVersion: string
  /** Also holds the compute backends, one per CPU generation. */
  readonly directory: string
  readonly ggmlBase: string
  readonly ggml: string
  readonly llama: string
}

export type LibrarySearch =
  | { readonly kind: 'found'; readonly files: LibraryFiles }
  | { readonly kind: 'missing'; readonly reason: string }

const packages: Readonly<Record<string, string>> = {
  'linux-x64': '@node-llama-cpp/linux-x64',
  'linux-arm64': '@node-llama-cpp/linux-arm64',
  'darwin-arm64': '@node-llama-cpp/mac-arm64-metal',
  'darwin-x64': '@node-llama-cpp/mac-x64',
  'win32-x64': '@node-llama-cpp/win-x64',
  'win32-arm64': '@node-llama-cpp/win-arm64',
}

/**
 * Finds the prebuilt llama.cpp for a machine; never throws. File names carry a version, so they are
 * found by their shape.
 *
 * @example findLibrary({ platform: 'linux', arch: 'x64', glibc: undefined }) // missing: musl
 */
export function findLibrary(
  host: Host = thisHost(),
  resolve: (name: string) => string = resolvePackage,
): LibrarySearch {
  const missing = (why: string): LibrarySearch => ({ kind: 'missing', reason: `engine unavailable: ${why}` })
  const packageName = packages[`${host.platform}-${host.arch}`]
  if (packageName === undefined) return missing(`no prebuilt llama.cpp for ${host.platform}-${host.arch}`)
  if (host.platform === 'linux' && host.glibc === undefined) {
    return missing('the prebuilt llama.cpp needs glibc, and this Linux has another C library (musl)')
  }
  try {
    const root = dirname(dirname(resolve(packageName)))
    return locate(packageName, root) ?? missing(`package ${packageName} holds no llama library`)
  } catch (error) {
    const detail = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
    return missing(`package ${packageName} is not installed (${detail})`)
  }
}

/** The machine this process runs on. */
export function thisHost(): Host {
  return { platform: process.platform, arch: process.arch, glibc: process.platform === 'linux' ? glibc() : undefined }
}

function locate(packageName: string, root: string): LibrarySearch | undefined {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  for (const entry of readdirSync(join(root, 'bins'))) {
    const directory = join(root, 'bins', entry)
    const names = readdirSync(directory)
    const llama = names.find((name) => isLibrary(name, 'llama'))
    const ggml = names.find((name) => isLibrary(name, 'ggml'))
    const ggmlBase = names.find((name) => isLibrary(name, 'ggml-base'))
    if (llama === undefined || ggml === undefined || ggmlBase === undefined) continue
    const files: LibraryFiles = {
      packageName,
      packageVersion: manifest.version,
      directory,
      ggmlBase: join(directory, ggmlBase),
      ggml: join(directory, ggml),
      llama: join(directory, llama),
    }
    return { kind: 'found', files }
  }
  return undefined
}

/** `libllama.v0.5.0.so`, `libllama.dylib`, `llama.dll`, but not `libllama-common.so`. */
function isLibrary(file: string, stem: string): boolean {
  const match = /^(?:lib)?(.*?)(?:\.v?\d[\d.]*)?\.(?:so|dylib|dll)$/.exec(file)
  return match?.[1] === stem
}

function resolvePackage(name: string): string {
  return createRequire(import.meta.url).resolve(name)
}

function glibc(): string | undefined {
  // Without this a report resolves the names of all open connections, which can take seconds.
  const report = process.report as typeof process.report & { excludeNetwork?: boolean }
  const before = report.excludeNetwork
  report.excludeNetwork = true
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } }
  report.excludeNetwork = before ?? false
  return header.glibcVersionRuntime
}
