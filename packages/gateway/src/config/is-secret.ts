import type { ConfigPath } from './schema.ts'

const secretKeys: ReadonlySet<unknown> = new Set(['api_key', 'api_keys', 'org_keys', 'headers'])
const addressKeys: ReadonlySet<unknown> = new Set(['base_url', 'replicas', 'proxy'])

/**
 * True for a value that messages must not show, by its path in the file.
 * @example isSecret(['keys', 0, 'key'], 'abc') // true
 */
export function isSecret([section, index, key]: ConfigPath, value: unknown): boolean {
  if (section === 'secret' || (section === 'keys' && key === 'key')) return true
  // A wrong URL of the store may hold a password, wherever that stands in it.
  if (section === 'store' && index === 'url' && typeof value === 'string') return true
  if (section !== 'upstreams' || typeof value !== 'string') return false
  // A text where a mapping belongs may be a misplaced key.
  if (index === undefined || key === undefined || secretKeys.has(key)) return true
  return addressKeys.has(key) && value.includes('@')
}
