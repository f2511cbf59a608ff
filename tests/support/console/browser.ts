import type { Browser } from 'playwright-core'
import { chromium } from 'playwright-core'
import { browserVariable, findBrowser } from './find-browser.ts'

const found = findBrowser(process.env)
const hint = `install a Chromium (Debian: apt-get install chromium) or name one in ${browserVariable}`
/** A build server has to have one: there the tests run, and fail without. */
const mayBeMissing = (process.env['CI'] ?? '') === ''

/** No browser where there may be none: the tests that need one are skipped, and the run says so. */
export const browserMissing: boolean = found === undefined && mayBeMissing
if (browserMissing) console.warn(`no browser found: the tests of the console are skipped; ${hint}`)

/** @throws Error where there is no browser */
export async function startBrowser(): Promise<Browser> {
  if (found === undefined) throw new Error(`the tests of the console need a browser: ${hint}`)
  // As root, as in containers, Chromium runs without its sandbox only.
  const args = ['--disable-dev-shm-usage', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])]
  return chromium.launch({ executablePath: found, args })
}
