import type { Locator, Page } from 'playwright-core'
import { beforeEach, describe, expect, test } from 'vitest'
import { browserMissing } from './support/console/browser.ts'
import { faintTexts, namelessControls, sidewaysScroll, styleOf } from './support/console/look.ts'
import { sampleSummary } from './support/console/sample-summary.ts'
import { openRoom } from './support/console/room.ts'
import { startWorld } from './support/console/world.ts'

describe.skipIf(browserMissing)('the overview in a browser', () => {
  const room = openRoom(() => startWorld())
  let page: Page
  beforeEach(() => {
    ;({ page } = room)
  })

  const tile = (name: string): Locator => page.locator('.tile', { has: page.getByText(name, { exact: true }) })
  const panel = (title: string): Locator => page.locator('.panel', { has: page.getByRole('heading', { name: title }) })
  async function open(settings = ''): Promise<void> {
    await page.goto(`${room.world.gateway.url}/#/${settings}`)
    await page.locator('.tile').first().waitFor()
  }

  test('F-6 M-1 the totals are those of the API, and each share says what it is a share of', async () => {
    await open()
    const summary = await summaryOf('')
    const measured = count(summary, 'requests') - count(summary, 'unreported_requests')
    expect(await tile('Requests').innerText()).toContain(text(count(summary, 'requests')))
    expect(await tile('Cached share, per token').innerText()).toContain(
      `${text(count(summary, 'cached_input_tokens'))} of ${text(count(summary, 'input_tokens'))} input tokens`,
    )
    expect(await tile('Cached share, per request').innerText()).toContain(
      `${text(count(summary, 'warm_requests'))} of ${text(measured)} requests`,
    )
    const share = Math.round(count(summary, 'hit_ratio_per_token') * 1_000) / 10
    expect(await tile('Cached share, per token').innerText()).toContain(`${share} %`)
    expect(await page.locator('.unknown').innerText()).toContain(
      `Usage not reported: ${text(count(summary, 'unreported_requests'))} of ${text(count(summary, 'requests'))} requests`,
    )
  })

  test('M-1 the share over time: the numbers behind the picture are those of the API, per token and per request', async () => {
    await open('?interval=hour&tz=UTC')
    const hits = panel('Cached share over time')
    await hits.locator('canvas').waitFor()
    const { rows } = await summaryOf('?interval=hour')
    const sum = (field: string): number => rows.reduce((total, row) => total + count(row, field), 0)
    await hits.getByText('The numbers').click()
    expect(await hits.locator('tbody tr').count()).toBe(rows.length)
    const column = async (place: number): Promise<number> => {
      const cells = await hits.locator(`tbody tr td:nth-of-type(${place})`).allInnerTexts()
      return cells.reduce((total, cell) => total + Number(cell.replaceAll(',', '')), 0)
    }
    expect(await column(1)).toBe(sum('cached_input_tokens'))
    expect((await column(1)) + (await column(2)) + (await column(3))).toBe(sum('input_tokens'))
    await hits.getByRole('button', { name: 'per request' }).click()
    await hits.getByText('share of requests that read from a cache').first().waitFor()
    expect(page.url()).toContain('per=request')
    expect(await column(1)).toBe(sum('warm_requests'))
    expect((await column(1)) + (await column(2)) + (await column(3))).toBe(sum('requests'))
  })

  test('M-1 groups are those of the API, and lead to their events', async () => {
    await open()
    const groups = panel('Where it goes')
    await groups.getByLabel('By', { exact: true }).selectOption('upstream')
    await expect
      .poll(() => groups.locator('tbody tr').count())
      .toBe((await summaryOf('?group_by=upstream')).rows.length)
    await groups.getByRole('link', { name: 'claude' }).click()
    await page.locator('table.events tbody tr').first().waitFor()
    expect(new Set(await page.locator('td[data-column="upstream"]').allInnerTexts())).toEqual(new Set(['claude']))
    expect(page.url()).toContain('upstream=claude')
  })

  test('M-1 openings of prompts are listed with their reuse', async () => {
    await open()
    const answer = await fetch(`${room.world.gateway.url}/v1/prefixes?limit=10`)
    const { data } = (await answer.json()) as { data: { prefix: string; requests: number }[] }
    const rows = panel('Prefixes').locator('tbody tr')
    await expect.poll(() => rows.count()).toBe(data.length)
    expect(await rows.first().innerText()).toContain(data[0]?.prefix)
  })

  test('the range is in the address, and a range without traffic says so', async () => {
    await open()
    await page.getByLabel('Time', { exact: true }).selectOption('7d')
    await expect.poll(() => page.url()).toContain('range=7d')
    await page.goto(`${room.world.gateway.url}/#/?since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z`)
    await page.getByRole('heading', { name: 'No requests in the chosen time' }).waitFor()
    await page.getByRole('button', { name: 'Show all time' }).click()
    await page.locator('.tile').first().waitFor()
  })

  test('M-3 reuse stands beside its target; what is below is marked as such', async () => {
    await sample()
    await open()
    const bands = await page.locator('.bands li').allInnerTexts()
    expect(bands.map((band) => band.replaceAll(/\s+/g, ' '))).toEqual([
      'First use of a prefix 0 % target 0 %, within · 0 of 1,000 tokens in 10 requests',
      'Again in the same session 75 % target 60 % to 90 %, within · 750 of 1,000 tokens in 10 requests',
      'Again in other sessions 30 % target 40 % to 70 %, below · 300 of 1,000 tokens in 10 requests',
    ])
  })

  test('M-6 a loss is shown as one; money that is not known is not $0', async () => {
    await sample()
    await open('?interval=hour')
    const saved = panel('Saved over time')
    await saved.getByText('The numbers').click()
    expect(await saved.locator('tbody td:nth-of-type(1)').allInnerTexts()).toEqual(['$0.50', '−$0.25', '$1.25'])
    expect(await tile('Saved, net').innerText()).toContain('7.7 % of $19.50 without caching')
    const cost = panel('What the cost is made of')
    expect(await cost.getByRole('row', { name: 'Warming up' }).innerText()).toContain('not known')
    expect(await cost.getByRole('row', { name: 'Storage of caches' }).innerText()).toContain('$0.00')
    expect(await styleOf(cost.getByText('not known'), 'fontStyle')).toBe('italic')
    expect(await page.locator('.unknown').innerText()).toContain('Price not known: 9 of 90 requests')
  })

  test('M-1 the time to the first token, cold beside warm, by size of the prompt', async () => {
    await sample()
    await open()
    const rows = panel('Time to first token').locator('tbody tr')
    expect((await rows.allInnerTexts()).map((row) => row.split(/\s*\t\s*/))).toEqual([
      ['all sizes', '4', '800 ms', '1.90 s', '4.10 s', '4', '200 ms', '400 ms', '1.20 s', '4.0 ×'],
      ['0 to 1k tokens', '4', '800 ms', '1.90 s', '4.10 s', '0', '–', '–', '–', '–'],
      ['256k tokens and more', '1', '800 ms', '1.90 s', '4.10 s', '1', '200 ms', '400 ms', '1.20 s', '4.0 ×'],
    ])
  })

  test('of an older gateway, what it does not send is not reported, and never 0', async () => {
    const old = {
      requests: 3,
      warm_requests: 1,
      failed_requests: 0,
      unreported_requests: 0,
      input_tokens: 30,
      cached_input_tokens: 10,
      output_tokens: 3,
      hit_ratio_per_token: 1 / 3,
      hit_ratio_per_request: 1 / 3,
    }
    await page.route('**/v1/summary*', (route) => route.fulfill({ json: old }))
    await open()
    expect(await tile('Saved, net').innerText()).toContain('not known')
    expect(await tile('TTFT, median').innerText()).toContain('not reported')
    expect(await page.locator('.bands b').allInnerTexts()).toEqual(['not reported', 'not reported', 'not reported'])
    expect(await page.locator('main').innerText()).not.toMatch(/\$0|NaN|undefined|null/)
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
      await sample()
      await open()
      await panel('Saved over time').locator('canvas').waitFor()
      for (const summary of await page.getByText('The numbers').all()) await summary.click()
      expect(await sidewaysScroll(page)).toBe(0)
      expect(await faintTexts(page)).toEqual([])
      expect(await namelessControls(page)).toEqual([])
    },
  )

  test('light and dark can be switched, pictures included', async () => {
    await page.emulateMedia({ colorScheme: 'light' })
    await sample()
    await open()
    const paper = (): Promise<string> => styleOf(page.locator('body'), 'backgroundColor')
    const ink = (): Promise<string> => page.evaluate<string>(`document.querySelector('canvas').toDataURL()`)
    const [light, picture] = [await paper(), await ink()]
    await page.getByRole('button', { name: 'Dark' }).click()
    expect(await paper()).not.toBe(light)
    await expect.poll(ink).not.toBe(picture)
    await page.reload()
    await page.locator('.tile').first().waitFor()
    expect(await paper()).not.toBe(light)
  })

  async function sample(): Promise<void> {
    await page.route('**/v1/summary*', (route) => route.fulfill({ json: sampleSummary(route.request().url()) }))
  }

  async function summaryOf(query: string): Promise<Summary> {
    const answer = await fetch(`${room.world.gateway.url}/v1/summary${query}`)
    return (await answer.json()) as Summary // the API's documented shape
  }
})

type Totals = Readonly<Record<string, unknown>>
type Summary = Totals & { readonly rows: readonly Totals[] }

function count(totals: Totals, field: string): number {
  const value = totals[field]
  if (typeof value !== 'number') throw new Error(`${field} is ${String(value)}`)
  return value
}

function text(value: number): string {
  return value.toLocaleString('en-US')
}
