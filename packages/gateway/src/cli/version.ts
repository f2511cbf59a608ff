import { createRequire } from 'node:module'

/** The version of this package. */
export const version: string = readVersion()

function readVersion(): string {
  const manifest = createRequire(import.meta.url)('../../package.json') as { version: string } // our own manifest
  return manifest.version
}
