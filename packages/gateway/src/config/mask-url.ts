/**
 * A URL without what its user info says; `user:password@` may be a credential.
 * @example maskUrl('http://me:pass@proxy:3128') // 'http://***@proxy:3128'
 */
export function maskUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/]*@/i, '$1***@')
}

/**
 * The URL of a database without what may be a credential: everything up to the last `@`, and its parameters.
 * @example maskStoreUrl('postgres://me:pass@db/ledger?password=x') // 'postgres://***@db/ledger'
 */
export function maskStoreUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/).*@/is, '$1***@').replace(/\?.*$/s, '')
}
