import type { Page } from 'playwright-core'

/** Has a page believe that its tab was hidden, or is seen again. */
export async function hideTab(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate(`Object.defineProperty(document, 'visibilityState', {
    configurable: true, get: () => '${hidden ? 'hidden' : 'visible'}' })
    document.dispatchEvent(new Event('visibilitychange'))`)
}
