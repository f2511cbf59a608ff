/**
 * The compiled file of a worker or child process entry, also when the caller runs from TypeScript
 * sources (tests): threads and processes need JavaScript on every supported Node.
 *
 * @example new Worker(compiledEntry(import.meta.url, './ledger-worker.js'))
 */
export function compiledEntry(moduleUrl: string, relativePath: string): URL {
  const url = new URL(relativePath, moduleUrl)
  if (moduleUrl.endsWith('.ts')) url.pathname = url.pathname.replace(/\/src\/(?!.*\/src\/)/, '/dist/')
  return url
}
