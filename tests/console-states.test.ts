import type { Browser, Page, Route } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { browserMissing, startBrowser } from './support/console/browser.ts'
import { hideTab } from './support/console/hide-tab.ts'
import { faintTexts, namelessControls, sidewaysScroll } from './support/console/look.ts'
import { openWatched } from './support/console/watched-page.ts'
import { chat } from './support/console/world.ts'
import { startGateway } from './support/gateway.ts'

const member = 'sk-member-of-acme-0123456789'

describe.skipIf(browserMissing)('the console when not all is well', () => {
  let browser: Browser
  let gateway: ServerProcess
  let locked: ServerProcess
  let page: Page
  let complaints: readonly string[]

  beforeAll(async () => {
    const keys = `keys:\n  - { key: ${member}, org: acme, name: web, role: member }\n`
    ;[browser, gateway, locked] = await Promise.all([
      startBrowser(),
      startGateway([], { engine: true }),
      startGateway([], { engine: true, config: keys }),
    ])
  })
  afterAll(async () => {
    await browser?.close()
    await Promise.all([gateway?.stop(), locked?.stop()])
  })
  beforeEach(async () => {
    ;({ page, complaints } = await openWatched(browser))
  })
  afterEach(() => page.context().close())

  test('F-6 an empty ledger says how to send the first request, and that request shows up', async () => {
    await page.goto(gateway.url)
    await page.getByRole('heading', { name: 'No requests in the last 24 hours' }).waitFor()
    const command = page.locator('pre.command')
    await expect.poll(() => command.innerText()).toContain('"model":"demo"')
    const line = await command.innerText()
    expect(line).toContain(`curl ${gateway.url}/v1/chat/completions`)
    expect(await sidewaysScroll(page)).toBe(0)
    expect(await faintTexts(page)).toEqual([])
    await page.setViewportSize({ width: 360, height: 700 })
    expect(await sidewaysScroll(page)).toBe(0)

    const [, body = ''] = /-d '(.*)'$/.exec(line) ?? []
    expect((await chat(gateway.url, JSON.parse(body))).status).toBe(200)
    await page.getByRole('button', { name: 'Refresh' }).click()
    await page.getByText('1 of 1 requests').first().or(page.getByText('0 failed')).first().waitFor()
    expect(complaints).toEqual([])
  })

  test('an error is said in the words of the gateway, what was there stays, and trying again helps', async () => {
    await page.goto(`${gateway.url}/#/events?range=all`)
    await page.locator('table.events').waitFor()
    const fail = (route: Route): Promise<void> =>
      route.fulfill({ status: 503, json: { error: { message: 'the ledger cannot be read: disk full' } } })
    await page.route('**/v1/events?*', fail)
    await page.getByRole('button', { name: 'Refresh' }).click()
    const alert = page.getByRole('alert')
    await alert.getByText('the ledger cannot be read: disk full').waitFor()
    await alert.getByText('What is shown is older.').waitFor()
    expect(await page.locator('table.events tbody tr').count()).toBeGreaterThan(0)
    expect(await faintTexts(page)).toEqual([])
    expect(await namelessControls(page)).toEqual([])

    // Another question has no older answer that could pass for its own.
    await page.getByLabel('Time', { exact: true }).selectOption('7d')
    await page.locator('table.events').waitFor({ state: 'detached' })
    await page.unroute('**/v1/events?*', fail)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.locator('table.events').waitFor()
    expect(await alert.count()).toBe(0)
  })

  test('a page of a proxy in between, and a gateway that is gone, are said as such', async () => {
    await page.route('**/v1/events?*', (route) => route.fulfill({ status: 502, body: '<h1>Bad Gateway</h1>' }))
    await page.goto(`${gateway.url}/#/events`)
    await page.getByText('The gateway answered 502.').waitFor()
    await page.unrouteAll()
    await page.route('**/v1/events?*', (route) => route.abort('connectionrefused'))
    await page.route('**/health/*', (route) => route.abort('connectionrefused'))
    await page.getByRole('button', { name: 'Refresh' }).click()
    await page.getByText('The gateway cannot be reached.').waitFor()
    await page.getByText('not reachable').waitFor()
    expect(await page.locator('table.events').count()).toBe(0)
  })

  test('a slow answer is waited for, and said to be', async () => {
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route('**/v1/events?*', async (route) => {
      await held
      await route.continue()
    })
    await page.goto(`${gateway.url}/#/events?range=all`)
    await page.getByText('Still waiting for the events').waitFor()
    release()
    await page.locator('table.events').waitFor()
    await expect.poll(() => page.getByText('Still waiting').count()).toBe(0)
  })

  test('numbers are kept fresh while the tab is seen, and nothing is asked while it is hidden', async () => {
    await page.clock.install()
    let asked = 0
    page.on('request', (request) => {
      if (request.url().includes('/v1/events?')) asked += 1
    })
    await page.goto(`${gateway.url}/#/events?range=all`)
    await page.locator('table.events').waitFor()
    const idle = (): Promise<unknown> => page.locator('#events[aria-busy="false"]').waitFor()
    const later = async (): Promise<number> => {
      await idle()
      const before = asked
      await page.clock.runFor(30_000)
      // Whatever was asked for in the page has been answered once this is.
      await page.evaluate(`fetch('health/liveness').then((answer) => answer.text())`)
      return asked - before
    }
    await expect.poll(later).toBeGreaterThan(0)
    await hideTab(page, true)
    await later()
    expect(await later()).toBe(0)
    await hideTab(page, false)
    await expect.poll(later).toBeGreaterThan(0)
    await page.getByRole('button', { name: 'Live' }).click()
    await later()
    expect(await later()).toBe(0)
  })

  test('a key is asked for where one is needed, kept in this tab only, never in an address, and can be forgotten', async () => {
    const addresses: string[] = []
    page.on('request', (request) => addresses.push(request.url()))
    await page.goto(`${locked.url}/#/events?range=all`)
    const form = page.getByRole('form', { name: 'This gateway asks for a key' })
    await form.getByLabel('Key').fill('sk-somebody-elses-key-0123456789')
    await form.getByRole('button', { name: 'Show' }).click()
    await page.getByText('The key that was given is not valid here.').waitFor()
    expect(await faintTexts(page)).toEqual([])
    await form.getByLabel('Key').fill(member)
    await page.keyboard.press('Enter')
    await page.getByText('No events so far.').waitFor()
    expect(await page.evaluate(`sessionStorage.getItem('incipit-key')`)).toBe(member)
    expect(await page.evaluate(`JSON.stringify(localStorage) + document.cookie`)).not.toContain(member)

    await page.reload()
    await page.getByText('No events so far.').waitFor()
    await page.getByRole('button', { name: 'Forget key' }).click()
    await form.waitFor()
    expect(await page.evaluate(`sessionStorage.getItem('incipit-key')`)).toBeNull()
    expect(addresses.join('\n')).not.toContain(member)
    expect(page.url()).not.toContain(member)
  })

  test('with a key, downloads carry it; what the key may not see is said', async () => {
    await fetch(`${locked.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${member}` },
      body: JSON.stringify({ model: 'demo', max_tokens: 2, messages: [{ role: 'user', content: 'Hello there' }] }),
    })
    await page.goto(`${locked.url}/#/events`)
    await page.getByLabel('Key', { exact: true }).fill(member)
    await page.keyboard.press('Enter')
    await page.locator('table.events').waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'CSV' }).click(),
    ])
    expect(download.suggestedFilename()).toBe('incipit-events.csv')
    await page.goto(`${locked.url}/#/events?org=other`)
    await page.getByText('a member sees the events of its own organisation only').waitFor()
  })
})
