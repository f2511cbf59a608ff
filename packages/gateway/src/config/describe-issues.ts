import { nearestKey } from './nearest-key.ts'
import type { ConfigIssue, ConfigPath, JsonSchema } from './schema.ts'
import { configJsonSchema } from './schema.ts'

/** What is needed to say where a value came from, and whether it may be shown. */
export interface IssueContext {
  readonly value: unknown
  /** `incipit.yaml:3:9`, or `--port` for a value that a flag gave. */
  place(path: ConfigPath): string
  /** Never show the value at this path. */
  hidden(path: ConfigPath): boolean
  /** Of the file, for the names it knows; `undefined` = that of `incipit.yaml`. */
  readonly schema?: JsonSchema
}

/**
 * One line per problem: where, what was found, what is allowed; for unknown keys the nearest known one.
 * @example describeIssues(parsed.issues, context)
 */
export function describeIssues(issues: readonly ConfigIssue[], context: IssueContext): string[] {
  return issues.flatMap((issue) => {
    if (issue.kind === 'unknown-keys') return issue.keys.map((key) => describeUnknown(key, issue.path, context))
    const name = nameOf(issue.path)
    const found = context.hidden(issue.path) ? 'a value that is not shown' : shown(valueAt(context.value, issue.path))
    return `${context.place(issue.path)}  ${name}: found ${found}, allowed: ${issue.allowed}`
  })
}

/** @example nameOf(['keys', 0, 'org']) // 'keys[0].org' */
export function nameOf(path: ConfigPath): string {
  if (path.length === 0) return 'the file'
  return path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`
    return name === '' ? part : `${name}.${part}`
  }, '')
}

export function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root
  for (const part of path) value = typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined
  return value
}

function describeUnknown(key: string, path: ConfigPath, context: IssueContext): string {
  const known = knownKeys(path, context.schema ?? configJsonSchema())
  const nearest = nearestKey(key, known)
  const advice = nearest === undefined ? `known here: ${known.join(', ')}` : `did you mean "${nearest}"?`
  return `${context.place([...path, key])}  ${nameOf([...path, key.slice(0, 60)])}: unknown key; ${advice}`
}

function knownKeys(path: ConfigPath, root: JsonSchema): string[] {
  let schema: JsonSchema | undefined = root
  for (const part of path) schema = typeof part === 'number' ? schema?.items : schema?.properties?.[part]
  return Object.keys(schema?.properties ?? {})
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'a mapping'
  const text = JSON.stringify(value) ?? typeof value
  return text.length > 60 ? `${text.slice(0, 60)}...` : text
}
