import type { ConfigPath } from './schema.ts'

/**
 * A copy with the value at `path` replaced; anything on the way that is no mapping or list stays as it
 * is, for the schema to refuse.
 *
 * @example withValue({ server: {} }, ['server', 'port'], 1) // { server: { port: 1 } }
 */
export function withValue(root: unknown, [part, ...rest]: ConfigPath, value: unknown): unknown {
  if (part === undefined) return value
  if (Array.isArray(root))
    return root.map((item: unknown, index) => (index === part ? withValue(item, rest, value) : item))
  if (root !== undefined && (typeof root !== 'object' || root === null)) return root
  return { ...root, [part]: withValue(root === undefined ? undefined : Reflect.get(root, part), rest, value) }
}
