import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

/** A page of which every complaint is kept. */
export interface WatchedPage {
  readonly page: Page
  /** Errors in the browser's console, uncaught ones, and breaches of the content security policy. */
  readonly complaints: readonly string[]
  /** Origins that were asked for anything. */
  readonly origins: ReadonlySet<string>
}

/** Opens a page of its own profile, in English and in a zone that is not the machine's. */
export async function openWatched(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({
    locale: 'en-US',
    timezoneId: 'Asia/Tokyo',
    reducedMotion: 'reduce',
    viewport: { width: 1280, height: 900 },
    ...options,
  })
  const page = await context.newPage()
  const complaints: string[] = []
  const origins = new Set<string>()
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.protocol !== 'blob:') origins.add(url.origin)
  })
  // Breaches of styles set by attribute reach the console too; this is for those that do not.
  await page.addInitScript(`addEventListener('securitypolicyviolation', (event) =>
    console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI))`)
  return { page, complaints, origins }
}

/** @throws Error when a page complained, or asked anybody but the gateway for anything */
export function assertQuiet({ complaints, origins }: WatchedPage, url: string): void {
  const others = [...origins].filter((origin) => origin !== new URL(url).origin)
  if (complaints.length + others.length > 0)
    throw new Error(['the page complained', ...complaints, ...others].join('\n'))
}
