import type { Document, ParsedNode } from 'yaml'
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { markReferences, resolveReferences, showReferences } from './environment-references.ts'
import type { Environment } from './environment-references.ts'
import type { ConfigPath } from './schema.ts'

/** Something wrong at a place of the file; lines and columns count from 1. */
export interface PlacedProblem {
  readonly line: number
  readonly column: number
  readonly text: string
}

/** A parsed configuration file that still knows where everything stands. */
export interface ConfigDocument {
  /** Plain values; a key without a value counts as left out. */
  readonly value: unknown
  readonly problems: readonly PlacedProblem[]
  /** Dotted paths of the values that came from the environment. */
  readonly fromEnvironment: ReadonlySet<string>
  /** Line and column of a key, or of the nearest thing around it. */
  locate(path: ConfigPath): { readonly line: number; readonly column: number }
}

/**
 * Reads YAML 1.2 text and looks up its environment references.
 * @example readConfigDocument('server: { port: 4141 }', process.env).value
 */
export function readConfigDocument(yaml: string, env: Environment): ConfigDocument {
  const lines = new LineCounter()
  const document = parseDocument(markReferences(yaml), { lineCounter: lines, prettyErrors: false })
  const place = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const problems: PlacedProblem[] = document.errors.map((error) => ({
    ...place(error.pos[0]),
    text: showReferences(error.message),
  }))
  const fromEnvironment = new Set<string>()
  if (problems.length > 0) return { value: {}, problems, fromEnvironment, locate: () => place(0) }

  const read = (node: unknown, path: ConfigPath): unknown => {
    if (isMap(node)) return readMap(node, path)
    if (isSeq(node)) return node.items.map((item, index) => read(item, [...path, index]))
    if (isScalar(node))
      return typeof node.value === 'string' ? readText(node.value, node.range?.[0] ?? 0, path) : node.value
    if (isAlias(node)) {
      problems.push({ ...place(node.range?.[0] ?? 0), text: `alias *${node.source}: write the value out instead` })
    }
    return undefined
  }
  const readMap = (map: { items: { key: unknown; value: unknown }[] }, path: ConfigPath): unknown =>
    Object.fromEntries(
      map.items.map((pair) => {
        const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
        const value = read(pair.value, [...path, key])
        return [key, value ?? undefined]
      }),
    )
  const readText = (text: string, offset: number, path: ConfigPath): string => {
    const resolved = resolveReferences(text, env)
    for (const name of resolved.missing) {
      problems.push({ ...place(offset), text: `environment variable ${name} is not set, or empty` })
    }
    if (resolved.fromEnvironment) fromEnvironment.add(path.join('.'))
    return resolved.value
  }

  const value = document.contents === null ? {} : (read(document.contents, []) ?? {})
  return { value, problems, fromEnvironment, locate: (path) => place(offsetOf(document, path)) }
}

/** Where the key of `path` begins; where it is not there, its parent's. */
function offsetOf(document: Document.Parsed, path: ConfigPath): number {
  let node: unknown = document.contents
  let offset = document.contents?.range?.[0] ?? 0
  for (const part of path) {
    const step = isMap(node)
      ? node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(part))
      : isSeq(node) && typeof part === 'number'
        ? { key: node.items[part], value: node.items[part] }
        : undefined
    if (step === undefined) break
    offset = (step.key as ParsedNode | null)?.range?.[0] ?? offset
    node = step.value
  }
  return offset
}
