import type { Locator, Page } from 'playwright-core'
import { readFile } from 'node:fs/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { browserMissing } from './support/console/browser.ts'
import { faintTexts, namelessControls, sidewaysScroll, styleOf } from './support/console/look.ts'
import { openRoom } from './support/console/room.ts'
import { openWatched } from './support/console/watched-page.ts'
import { hostileModel, startWorld } from './support/console/world.ts'

describe.skipIf(browserMissing)('Spend → Events in a browser', () => {
  const room = openRoom(() => startWorld())
  let page: Page
  beforeEach(() => {
    ;({ page } = room)
  })

  async function open(settings = ''): Promise<void> {
    await page.goto(`${room.world.gateway.url}/#/events${settings}`)
    await rows().first().waitFor()
  }
  const rows = (): Locator => page.locator('table.events tbody tr')
  const cells = async (column: string): Promise<string[]> => page.locator(`td[data-column="${column}"]`).allInnerTexts()
  // In one look: rows may change between two.
  const ids = async (): Promise<string[]> =>
    page.evaluate<string[]>(`[...document.querySelectorAll('table.events tbody tr')].map((row) => row.dataset.id)`)

  test('M-2 F-6 cached_input_tokens of every event, as the API has it; not reported is not 0', async () => {
    await open('?rows=100')
    const events = await listed('fields=id,kind,input_tokens,cached_input_tokens&limit=100')
    expect(await ids()).toEqual(events.map(({ id }) => id))
    expect(await cells('cached_input_tokens')).toEqual(events.map((event) => shownCount(event, 'cached_input_tokens')))
    expect(await cells('input_tokens')).toEqual(events.map((event) => shownCount(event, 'input_tokens')))
    const shown = await cells('cached_input_tokens')
    expect(shown).toEqual(expect.arrayContaining(['0', 'not reported', '–']))
    expect(shown.some((text) => Number(text.replaceAll(',', '')) > 1_000)).toBe(true)
    expect(await styleOf(page.locator('td .absent').first(), 'fontStyle')).toBe('italic')
    expect(await styleOf(page.locator('td', { hasText: /^0$/ }).first(), 'fontStyle')).toBe('normal')
  })

  test('M-2 the keyboard alone: / to the filters, j and k along the rows, Enter for details, Esc back', async () => {
    await open()
    const focused = (): Promise<string | null> =>
      page.evaluate<string | null>(
        'document.activeElement.closest("tr")?.dataset.id ?? document.activeElement.name ?? null',
      )
    const [first, second] = await ids()
    await page.keyboard.press('j')
    expect(await focused()).toBe(first)
    await page.keyboard.press('j')
    expect(await focused()).toBe(second)
    await page.keyboard.press('k')
    await page.keyboard.press('k')
    expect(await focused()).toBe(first)
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: `Event ${first}` })
    await dialog.getByText('Usage as the upstream sent it').waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(await focused()).toBe(first)
    await page.keyboard.press('/')
    await expect.poll(focused).toBe('model')
    await page.keyboard.type('jk/')
    expect(await page.getByRole('combobox', { name: 'Model' }).inputValue()).toBe('jk/')
    expect(page.url()).not.toContain('model=')
    await page.keyboard.press('Escape')
    expect(await focused()).not.toBe('model')
  })

  test('M-2 details show all fields, the buckets, the usage as it was sent, and the attempts that failed', async () => {
    await open(`?event=${room.world.failedId}`)
    const dialog = page.getByRole('dialog')
    const attempts = await listed('fields=id,kind,parent_id,upstream,status&limit=1000')
    const own = attempts.filter((event) => event['parent_id'] === room.world.failedId)
    expect(own.length).toBeGreaterThan(0)
    await expect.poll(() => dialog.locator('.attempts li').count()).toBe(own.length)
    expect(await dialog.locator('.attempts').innerText()).toContain('500')
    await dialog.locator('.attempts a').first().click()
    await page.getByRole('dialog').getByText('Part of').waitFor()
    await page.getByRole('button', { name: 'Close' }).click()

    const [read] = await listed('model=claude-sonnet-4-5&limit=1')
    await page.getByLabel('Request id').fill(read?.id ?? '')
    await page.keyboard.press('Enter')
    const raw = JSON.parse(await dialog.locator('pre').innerText()) as unknown
    expect(raw).toEqual(read?.['raw_usage'])
    const names = await dialog.locator('dt').allInnerTexts()
    const fields = Object.keys(read ?? {}).filter((name) => name !== 'usage' && name !== 'raw_usage')
    expect(names).toEqual([...Object.keys(read?.['usage'] ?? {}), ...fields])
  })

  test('M-2 filters narrow the rows and stand in the address: it can be sent, and one can go back', async () => {
    await open()
    await page.getByText('Filters', { exact: true }).click()
    await page.getByRole('combobox', { name: 'Model' }).focus()
    const suggested = page.locator('datalist option')
    await expect
      .poll(() => suggested.evaluateAll((options) => options.map((option) => option.getAttribute('value'))))
      .toEqual(expect.arrayContaining(['demo', 'gpt-4o', 'claude-sonnet-4-5', hostileModel]))
    await page.getByRole('combobox', { name: 'Model' }).fill('gpt-4o')
    await page.getByRole('combobox', { name: 'Model' }).press('Enter')
    await expect.poll(async () => [...new Set(await cells('model'))]).toEqual(['gpt-4o'])
    expect(page.url()).toContain('#/events?model=gpt-4o')
    const address = page.url()
    const shown = await ids()

    const other = await openWatched(room.browser)
    await other.page.goto(address)
    await other.page.locator('table.events tbody tr').first().waitFor()
    expect(await other.page.locator('table.events tbody tr').count()).toBe(shown.length)
    expect(await other.page.getByRole('combobox', { name: 'Model' }).inputValue()).toBe('gpt-4o')
    await other.page.context().close()

    await page.goBack()
    await expect.poll(async () => new Set(await cells('model')).size).toBeGreaterThan(1)
    await page.goForward()
    await page.getByRole('button', { name: 'Clear' }).click()
    await expect.poll(async () => new Set(await cells('model')).size).toBeGreaterThan(1)
  })

  test('a filter that fits nothing says so; times are those of the chosen zone', async () => {
    await open('?tz=UTC')
    const [at] = await listed('fields=at&limit=1')
    const utc = String(at?.['at']).slice(11, 19)
    expect(await page.locator('.row-link').first().innerText()).toContain(utc)
    await page.getByLabel('Time zone').selectOption('Asia/Tokyo')
    await expect.poll(() => page.locator('.row-link').first().innerText()).not.toContain(utc)
    await page.goto(`${room.world.gateway.url}/#/events?model=nobody`)
    await page.getByText('No events in the last 24 hours with these filters.').waitFor()
  })

  test('M-2 pages follow a cursor, older and newer, and miss or repeat nothing', async () => {
    const all = (await listed('fields=id&limit=1000')).map(({ id }) => id)
    await open('?rows=25')
    const seen = [...(await ids())]
    const newest = [...seen]
    while (await page.getByRole('button', { name: 'Older' }).isEnabled()) {
      const [before] = await ids()
      await page.getByRole('button', { name: 'Older' }).click()
      await expect.poll(async () => (await ids())[0]).not.toBe(before)
      seen.push(...(await ids()))
    }
    expect(seen).toEqual(all)
    await page.getByRole('button', { name: 'Newer' }).click()
    await expect.poll(ids).toEqual(seen.slice(0, 25))
    await page.getByRole('button', { name: 'Older' }).click()
    await page.getByRole('button', { name: 'Newest' }).click()
    await expect.poll(ids).toEqual(newest)
  })

  test('columns can be chosen, and are kept in the address', async () => {
    await open()
    await page.getByText('Columns', { exact: true }).first().click()
    await page.getByRole('checkbox', { name: 'dialect' }).check()
    await page.getByRole('checkbox', { name: 'cause' }).uncheck()
    await page.keyboard.press('Escape')
    await expect.poll(async () => (await cells('dialect')).length).toBeGreaterThan(0)
    await expect
      .poll(async () => new Set(await cells('dialect')))
      .toEqual(new Set(['openai-chat', 'anthropic-messages']))
    expect(await cells('cause')).toEqual([])
    await page.reload()
    await rows().first().waitFor()
    expect(await cells('dialect')).not.toEqual([])
    expect(await page.getByRole('checkbox', { name: 'dialect' }).isVisible()).toBe(false)
  })

  test('M-2 all events can be saved, as CSV and as JSON lines, with the filters and columns that are shown', async () => {
    await open('?model=demo&rows=25')
    const expected = await listed('model=demo&fields=id,cached_input_tokens&limit=1000')
    const csv = await saved('CSV')
    expect(csv.trim().split('\r\n')).toHaveLength(expected.length + 1)
    expect(csv.split('\r\n')[0]).toContain('cached_input_tokens')
    const lines = (await saved('JSON lines')).trim().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(expected.map(({ id }) => id))
  })

  test('names that clients made up are text, whatever they hold', async () => {
    await open()
    await expect.poll(async () => await cells('model')).toContain(hostileModel)
    expect(await page.title()).toBe('Spend → Events · Incipit')
    expect(await page.locator('img').count()).toBe(0)
  })

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 800],
    ['light', 360],
    ['dark', 360],
  ] as const)(
    'in %s at %d pixels: nothing sticks out, nothing is faint, everything has a name',
    async (scheme, width) => {
      await page.setViewportSize({ width, height: 800 })
      await page.emulateMedia({ colorScheme: scheme })
      await open('?rows=100')
      await page.getByText('Filters', { exact: true }).click()
      await page.getByText('Columns', { exact: true }).first().click()
      expect(await sidewaysScroll(page)).toBe(0)
      expect(await faintTexts(page)).toEqual([])
      expect(await namelessControls(page)).toEqual([])
      await page.locator('.row-link').first().focus()
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').getByText('Usage as the upstream sent it').waitFor()
      expect(await sidewaysScroll(page)).toBe(0)
      expect(await faintTexts(page)).toEqual([])
      expect(await namelessControls(page)).toEqual([])
    },
  )

  test('what has the focus can be seen to have it', async () => {
    await open()
    for (const name of ['button', 'select', 'summary', '.row-link', '.downloads a']) {
      await page.locator(name).first().focus()
      await page.keyboard.press('Shift+Tab')
      await page.keyboard.press('Tab')
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), name).toBe('solid')
    }
  })

  async function listed(query: string): Promise<EventJson[]> {
    const answer = await fetch(`${room.world.gateway.url}/v1/events?${query}`)
    return ((await answer.json()) as { data: EventJson[] }).data // the API's documented shape
  }

  async function saved(name: string): Promise<string> {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()])
    return readFile(await download.path(), 'utf8')
  }
})

type EventJson = Readonly<Record<string, unknown>> & { readonly id: string }

function shownCount(event: EventJson, field: string): string {
  if (event['kind'] === 'attempt') return '–'
  const value = event[field]
  return typeof value === 'number' ? value.toLocaleString('en-US') : 'not reported'
}
