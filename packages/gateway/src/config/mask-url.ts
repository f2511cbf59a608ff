/**
 * A URL without what its user info says; `user:password@` may be a credential.
 * @example maskUrl('http://me:pass@proxy:3128') // 'http://***@proxy:3128'
 */
export function maskUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/]*@/i, '$1***@')
}
