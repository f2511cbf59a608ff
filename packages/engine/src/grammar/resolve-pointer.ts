/**
 * What a reference within a document points to; `undefined` where there is nothing.
 * @example resolvePointer({ $defs: { a: 1 } }, '#/$defs/a') // 1
 */
export function resolvePointer(document: unknown, target: string): unknown {
  let at: unknown = document
  for (const part of target.split('/').slice(1)) {
    const name = decoded(part)?.replaceAll('~1', '/').replaceAll('~0', '~')
    // What objects inherit is no part of a document.
    const isThere = name !== undefined && typeof at === 'object' && at !== null && Object.hasOwn(at, name)
    at = isThere ? (at as Readonly<Record<string, unknown>>)[name] : undefined // it has the name
  }
  return at
}

/** `undefined` where what stands behind a percent sign is no character. */
function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
