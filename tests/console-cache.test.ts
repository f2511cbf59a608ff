import type { Locator, Page } from 'playwright-core'
import { beforeEach, describe, expect, test } from 'vitest'
import { browserMissing } from './support/console/browser.ts'
import { cacheKeys, fillCache, startCacheWorld, useKey } from './support/console/cache-world.ts'
import { hideTab } from './support/console/hide-tab.ts'
import { faintTexts, namelessControls, sidewaysScroll } from './support/console/look.ts'
import { openRoom } from './support/console/room.ts'
import { samplePrefixes } from './support/console/sample-prefixes.ts'
import { openWatched } from './support/console/watched-page.ts'
import { startGateway } from './support/gateway.ts'

describe.skipIf(browserMissing)('the cache in a browser', () => {
  const room = openRoom(startCacheWorld)
  let page: Page
  beforeEach(async () => {
    ;({ page } = room)
    await useKey(page, cacheKeys.admin)
  })

  async function open(settings = ''): Promise<void> {
    await page.goto(`${room.world.gateway.url}/#/cache${settings}`)
    await cells().first().waitFor()
  }
  const cells = (): Locator => page.locator('.cell')
  const panel = (title: string): Locator => page.locator('.panel', { has: page.getByRole('heading', { name: title }) })
  const rows = (): Locator => panel('Cached prefixes').locator('.behind tbody tr')
  const focused = (): Promise<string | null> =>
    page.evaluate<string | null>('document.activeElement?.dataset.id ?? null')

  test('P-8 M-1 every tier of every model stands beside its budget, as the API has it', async () => {
    await open()
    const { models } = await asked<EngineJson>('/v1/engine')
    for (const { model, hot, ram, disk } of models) {
      const tiers = panel(model).locator('.tiers li')
      expect(await tiers.count()).toBe(3)
      const [first = '', second = '', third = ''] = await tiers.allInnerTexts()
      expect(first).toContain(`${counted(hot.tokens)} of ${counted(hot.capacity_tokens)} tokens`)
      expect(second).toContain(`${counted(ram.tokens)} tokens in ${counted(ram.blocks)} blocks`)
      expect(third).toContain(`shared with ${model === 'demo' ? 'claude' : 'demo'}`)
      expect(third).toContain(`${counted(disk.tokens)} tokens`)
    }
    const demo = models.find(({ model }) => model === 'demo')
    const { queried = 0, cached = 0, cached_hot: fromHot = 0 } = demo?.tokens ?? {}
    expect(fromHot).toBeGreaterThan(0)
    const lookups = await panel('demo').locator('.lookups').innerText()
    expect(lookups).toContain(`${Math.round((1_000 * cached) / queried) / 10} %`)
    expect(lookups).toContain(`of ${counted(queried)} prompt tokens looked up`)
  })

  test('M-1 the picture and the table have the nodes of the API, and tokens add up', async () => {
    await open()
    const { total, tiers } = await asked<PrefixesJson>('/v1/prefixes?source=engine&limit=2000')
    await expect.poll(() => rows().count()).toBe(total)
    for (const [tier, name] of [
      ['hot', 'Hot'],
      ['ram', 'RAM'],
      ['disk', 'Disk'],
    ] as const) {
      const label = await page.locator(`[data-id="${tier}"]`).getAttribute('aria-label')
      expect(label).toBe(`${name}: ${counted(tiers[tier].tokens)} tokens in ${counted(tiers[tier].nodes)} prefixes`)
    }
    expect(await rows().first().locator('a').getAttribute('href')).toContain('node=')
  })

  test('a click goes into a prefix and tells what is known of it; the address leads there; the way out is a click too', async () => {
    await open()
    await page.locator('[data-id="ram"]').click()
    const details = page.getByRole('complementary')
    await details.getByRole('heading', { name: 'RAM' }).waitFor()
    const prefix = page.locator('.cell.ram[aria-level="3"]').first()
    const id = (await prefix.getAttribute('data-id')) ?? ''
    await prefix.click()
    await details.getByRole('heading', { name: 'Opening of prompts' }).waitFor()
    const { data } = await asked<PrefixesJson>('/v1/prefixes?source=engine&limit=2000')
    const node = data.find((one) => one.id === id)
    const said = (await details.innerText()).replaceAll(/\s+/g, ' ')
    expect(said).toContain(`tokens ${counted(node?.tokens)}, from 0 to ${counted(node?.tokens)}`)
    expect(said).toContain(`model ${node?.model} organisation ${node?.org}`)
    expect(said).not.toContain('harbour')

    await page.reload()
    await details.getByRole('heading', { name: 'Opening of prompts' }).waitFor()
    expect(await cells().and(page.locator('[aria-selected="true"]')).getAttribute('data-id')).toBe(id)
    await details.getByRole('button', { name: 'Out' }).click()
    await details.getByRole('heading', { name: 'RAM' }).waitFor()
    await page.goBack()
    await details.getByRole('heading', { name: 'Opening of prompts' }).waitFor()
  })

  test('the keyboard alone: arrows move, Enter goes in, Esc out, and the focus stays through a refresh', async () => {
    await open()
    await cells().first().focus()
    await page.keyboard.press('ArrowDown')
    expect(await focused()).toBe('hot')
    await page.keyboard.press('ArrowRight')
    expect(await focused()).toBe('ram')
    await page.keyboard.press('ArrowDown')
    const id = await focused()
    await page.keyboard.press('Enter')
    await expect.poll(() => page.url()).toContain(`node=${id}`)
    await expect.poll(focused).toBe(id)
    const answered = page.waitForResponse((answer) => answer.url().includes('/v1/prefixes'))
    await page.evaluate(`[...document.querySelectorAll('button')].find((one) => one.textContent === 'Refresh').click()`)
    await answered
    expect(await focused()).toBe(id)
    await page.keyboard.press('Escape')
    await expect.poll(() => page.url()).toContain('node=ram')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowUp')
    expect(await focused()).toBe('all')
    await page.keyboard.press('Tab')
    expect(await focused()).toBeNull()
  })

  test('two thousand prefixes can be read: few cells, all of them reachable, none off the page', async () => {
    await page.route('**/v1/prefixes*', (route) => route.fulfill({ json: samplePrefixes(2_000) }))
    await open()
    expect(await cells().count()).toBeLessThan(700)
    expect(await rows().count()).toBe(100)
    for (const tier of ['hot', 'ram', 'disk']) {
      const openings = samplePrefixes(2_000)['data'] as readonly NodeJson[]
      const wanted = openings.filter((node) => node.tier === tier && node.parent === null).map(({ id }) => id)
      await page.goto(`${room.world.gateway.url}/#/cache?node=${tier}`)
      const seen = new Set<string | null>()
      const below = page.locator('.cell[aria-level="3"]:not(.rest)')
      for (let more = true; more;) {
        for (const id of await below.evaluateAll((found) => found.map((one) => one.getAttribute('data-id'))))
          seen.add(id)
        const rest = page.locator('.cell.rest[aria-level="3"]')
        more = (await rest.count()) > 0
        if (more) await rest.press('Enter')
      }
      expect(seen).toEqual(new Set(wanted))
    }
    await page.goto(`${room.world.gateway.url}/#/cache?node=gone`)
    await page.getByRole('complementary').getByRole('heading', { name: 'All tiers' }).waitFor()
    await page.getByRole('button', { name: 'Show all 2,000' }).click()
    expect(await rows().count()).toBe(2_000)
  })

  test('numbers are kept fresh without drawing anything anew, and nothing is asked while the tab is hidden', async () => {
    await page.clock.install()
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    await open()
    await page.evaluate(`document.querySelector('[data-id="ram"]').seenBefore = true`)
    const later = async (): Promise<ReadonlySet<string>> => {
      await page.locator('#tree[aria-busy="false"]').waitFor()
      asked.splice(0)
      await page.clock.runFor(30_000)
      // Whatever was asked for in the page has been answered once this is.
      await page.evaluate(`fetch('health/liveness').then((answer) => answer.text())`)
      return new Set(asked)
    }
    const fresh = ['/v1/engine', '/v1/pins', '/v1/prefixes']
    await expect
      .poll(async () => {
        const paths = await later()
        return fresh.filter((path) => !paths.has(path))
      })
      .toEqual([])
    expect(await page.evaluate(`document.querySelector('[data-id="ram"]').seenBefore`)).toBe(true)
    await hideTab(page, true)
    await later()
    expect([...(await later())].filter((path) => fresh.includes(path))).toEqual([])
  })

  test('P-1 P-7 pins are shown with the life they have left, and can be taken away', async () => {
    await open()
    const pins = panel('Pinned prefixes').locator('tbody tr')
    const before = await asked<PinsJson>('/v1/pins')
    expect(before.data.map(({ org }) => org)).toEqual(['bolt', 'acme'])
    await expect.poll(() => pins.count()).toBe(2)
    expect((await pins.first().innerText()).replaceAll(/\s+/g, ' ')).toMatch(/claude bolt [\d,]+ \d+ \d+ min of 1 h/)
    await pins.first().getByRole('button', { name: 'Unpin' }).click()
    await expect.poll(() => pins.count()).toBe(1)
    expect((await asked<PinsJson>('/v1/pins')).data.map(({ org }) => org)).toEqual(['acme'])
    await fillCache(room.world.gateway.url)
  })

  test('at 360 pixels a pin is a card: all that is known of it and its button are in sight', async () => {
    await page.setViewportSize({ width: 360, height: 800 })
    await open()
    const pins = panel('Pinned prefixes')
    await expect.poll(() => pins.locator('tbody tr').count()).toBe(2)
    const hidden = await pins
      .locator('.scroll')
      .evaluate(
        ({ scrollWidth, clientWidth }: { scrollWidth: number; clientWidth: number }) => scrollWidth - clientWidth,
      )
    expect(hidden).toBe(0)
    for (const button of await pins.getByRole('button', { name: 'Unpin' }).all()) {
      const { x = 0, width = Infinity } = (await button.boundingBox()) ?? {}
      expect(x + width).toBeLessThan(360)
    }
  })

  test('P-6 a reset says what it drops before it does, and drops what the filters leave and nothing else', async () => {
    await open('?org=acme')
    await page.getByRole('button', { name: 'Reset' }).click()
    const dialog = page.getByRole('dialog', { name: 'Reset the cache?' })
    const { tiers } = await asked<PrefixesJson>('/v1/prefixes?source=engine&limit=1&org=acme')
    await dialog
      .getByText(`${counted(tiers.ram.tokens)} tokens in ${counted(tiers.ram.nodes)} prefixes`)
      .first()
      .waitFor()
    expect(await dialog.innerText()).toContain('all local models and the organisation acme')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect((await asked<PrefixesJson>('/v1/prefixes?source=engine&org=acme')).total).toBeGreaterThan(0)

    await page.getByRole('button', { name: 'Reset' }).click()
    await dialog.getByRole('button', { name: 'Drop all of it' }).click()
    const done = page.getByRole('dialog', { name: 'The cache was reset' })
    await done
      .getByText(`${counted(tiers.hot.tokens)} tokens`, { exact: true })
      .first()
      .waitFor()
    await done.getByRole('button', { name: 'Close' }).click()
    await page.getByText('Nothing is cached of this model and organisation').waitFor()
    expect((await asked<PrefixesJson>('/v1/prefixes?source=engine&org=acme')).total).toBe(0)
    expect((await asked<PrefixesJson>('/v1/prefixes?source=engine&org=bolt')).total).toBeGreaterThan(0)
    await page.getByRole('button', { name: 'Show all' }).click()
    await cells().first().waitFor()
    await fillCache(room.world.gateway.url)
  })

  test('P-6 a member sees what its own organisation has cached and pinned, no budgets, and cannot reset', async () => {
    const member = await openWatched(room.browser)
    await useKey(member.page, cacheKeys.bolt)
    await member.page.goto(`${room.world.gateway.url}/#/cache`)
    await member.page.locator('.cell').first().waitFor()
    await member.page.getByText('for admins only').waitFor()
    const { total } = await asked<PrefixesJson>('/v1/prefixes?source=engine&org=bolt&limit=2000')
    expect(await member.page.locator('#tree .behind tbody tr').count()).toBe(total)
    await expect.poll(() => member.page.locator('#pins tbody tr').count()).toBe(1)
    expect(await member.page.locator('main').innerText()).not.toContain('acme')
    expect(await member.page.getByRole('button', { name: 'Reset' }).count()).toBe(0)
    expect(await member.page.locator('.tiers').count()).toBe(0)
    await member.page.goto(`${room.world.gateway.url}/#/cache?org=acme`)
    await member.page.getByText('a member sees the prefixes of its own organisation only').waitFor()
    await member.page.context().close()
  })

  test('why a model reuses nothing, and why it has no disk, is said', async () => {
    const answer = await asked<EngineJson>('/v1/engine')
    const [one] = answer.models
    const hybrid = { ...one, model: 'hybrid', prefix_cache_off: 'hybrid model: its state cannot be cut at a token' }
    const plain = { ...one, model: 'plain', disk: { ...one?.disk, off: 'disk_bytes is 0' } }
    await page.route('**/v1/engine', (route) => route.fulfill({ json: { ...answer, models: [hybrid, plain] } }))
    await open()
    expect(await panel('hybrid').innerText()).toContain('hybrid model: its state cannot be cut at a token')
    expect((await panel('plain').locator('.tiers').innerText()).replaceAll(/\s+/g, ' ')).toContain(
      'off disk_bytes is 0',
    )
  })

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 800],
    ['dark', 360],
    ['light', 360],
  ] as const)(
    'in %s at %d pixels: nothing sticks out, nothing is faint, everything has a name',
    async (scheme, width) => {
      await page.setViewportSize({ width, height: 800 })
      await page.emulateMedia({ colorScheme: scheme })
      await page.route('**/v1/prefixes*', (route) => route.fulfill({ json: samplePrefixes(200) }))
      await open('?node=disk')
      for (const summary of await page.getByText('Counts since its process started').all()) await summary.click()
      await page.locator('#pins').waitFor()
      const look = async (): Promise<void> => {
        expect(await sidewaysScroll(page)).toBe(0)
        expect(await faintTexts(page)).toEqual([])
        expect(await namelessControls(page)).toEqual([])
      }
      await look()
      await page.locator('.cell.disk[aria-level="3"]').first().click()
      await page.getByRole('complementary').getByText('reused').first().waitFor()
      await look()
      await page.getByRole('button', { name: 'Reset' }).click()
      await page.getByRole('dialog').getByText('Pins').waitFor()
      await look()
    },
  )

  test('an empty cache says how to fill it, and without an engine the page says that there is none', async () => {
    const [empty, bare] = await Promise.all([startGateway([], { engine: true }), startGateway([])])
    const { page: other } = await openWatched(room.browser, { viewport: { width: 360, height: 700 } })
    await other.goto(`${empty.url}/#/cache`)
    await other.getByRole('heading', { name: 'Nothing is cached' }).waitFor()
    await expect.poll(() => other.locator('pre.command').innerText()).toContain('"model":"demo"')
    expect(await sidewaysScroll(other)).toBe(0)
    expect(await faintTexts(other)).toEqual([])
    await other.goto(`${bare.url}/#/cache`)
    await other.getByRole('heading', { name: 'There is no local engine' }).waitFor()
    await other.getByText('the engine is off').waitFor()
    expect(await sidewaysScroll(other)).toBe(0)
    await other.context().close()
    await Promise.all([empty.stop(), bare.stop()])
  })

  async function asked<T>(path: string): Promise<T> {
    const headers = { authorization: `Bearer ${cacheKeys.admin}` }
    const answer = await fetch(room.world.gateway.url + path, { headers })
    return (await answer.json()) as T // the API's documented shape
  }
})

function counted(value: number | undefined): string {
  return (value ?? Number.NaN).toLocaleString('en-US')
}

interface EngineJson {
  readonly models: readonly {
    readonly model: string
    readonly hot: { readonly tokens: number; readonly capacity_tokens: number }
    readonly ram: { readonly tokens: number; readonly blocks: number }
    readonly disk: { readonly tokens: number }
    readonly tokens: Readonly<Record<string, number>>
  }[]
}

interface NodeJson {
  readonly id: string
  readonly model: string
  readonly org: string
  readonly tier: string
  readonly parent: number | null
  readonly tokens: number
}

interface PrefixesJson {
  readonly total: number
  readonly tiers: Readonly<Record<'hot' | 'ram' | 'disk', { readonly nodes: number; readonly tokens: number }>>
  readonly data: readonly NodeJson[]
}

interface PinsJson {
  readonly data: readonly { readonly org: string }[]
}
