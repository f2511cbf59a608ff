/**
 * Marks `${NAME}` in YAML text before it is parsed: braces would end a plain scalar inside `{ ... }`,
 * and a value put in before parsing could inject YAML. The marks have the length of what they replace,
 * so that lines and columns stay true; references in comments vanish with the comments.
 */
export function markReferences(yaml: string): string {
  return yaml.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, `$$${open}$1${close}`)
}

/** A scalar after its references have been looked up. */
export interface ResolvedScalar {
  readonly value: string
  /** Names that are not set, or set to nothing. */
  readonly missing: readonly string[]
  /** True when any part of the value came from the environment. */
  readonly fromEnvironment: boolean
}

/**
 * Looks up `${NAME}` anywhere in a marked scalar, and `os.environ/NAME` or `env.NAME` as the whole of it.
 * @example resolveReferences('env.INCIPIT_KEY', process.env)
 */
export function resolveReferences(scalar: string, env: Environment): ResolvedScalar {
  const missing: string[] = []
  let fromEnvironment = false
  const look = (name: string): string => {
    fromEnvironment = true
    const value = env[name]
    if (value === undefined || value === '') missing.push(name)
    return value ?? ''
  }
  const whole = /^(?:os\.environ\/([A-Za-z_]\w*)|env\.([A-Z_][A-Z0-9_]*))$/.exec(scalar)
  const name = whole?.[1] ?? whole?.[2]
  const value = name === undefined ? scalar.replaceAll(marked, (_, inner: string) => look(inner)) : look(name)
  return { value, missing, fromEnvironment }
}

/** Undoes the marks, for text that is shown. */
export function showReferences(text: string): string {
  return text.replaceAll(marked, '${$1}')
}

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

// Private-use characters: allowed in YAML, meaningless to it, and typed by nobody.
const open = '\uE0F0'
const close = '\uE0F1'
const marked = new RegExp(`\\$${open}(\\w+)${close}`, 'g')
