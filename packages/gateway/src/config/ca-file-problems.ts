import { readFile } from 'node:fs/promises'
import type { CrossChecks } from './cross-checks.ts'
import type { UpstreamSettings } from './upstream-settings.ts'

/**
 * Files of certificates that cannot be read, or hold none.
 * @example await caFileProblems(config.upstreams)
 */
export async function caFileProblems(upstreams: readonly UpstreamSettings[]): Promise<CrossChecks['problems']> {
  const checked = await Promise.all(
    upstreams.map(async ({ caFile }, index) => {
      const why = caFile === undefined ? undefined : await whyUnusable(caFile)
      return why === undefined ? [] : [{ path: ['upstreams', index, 'ca_file'], text: `${caFile} ${why}` }]
    }),
  )
  return checked.flat()
}

async function whyUnusable(file: string): Promise<string | undefined> {
  try {
    const text = await readFile(file, 'utf8')
    return text.includes('-----BEGIN CERTIFICATE-----') ? undefined : 'holds no certificate in PEM form'
  } catch (error) {
    return `cannot be read: ${(error as NodeJS.ErrnoException).code}` // fs rejects with these only
  }
}
