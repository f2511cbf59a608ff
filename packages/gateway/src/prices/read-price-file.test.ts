import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { priceFileJsonSchema } from './price-file-schema.ts'
import { parsePriceFile, readPriceFile } from './read-price-file.ts'

function problems(yaml: string): readonly string[] {
  const file = parsePriceFile(yaml, 'prices.yaml')
  return file.kind === 'invalid' ? file.problems : []
}

test('P-4 a price file says all that a list can say', () => {
  const file = parsePriceFile(
    `
prices:
  - provider: deepseek
    model: DeepSeek-V4.1
    from: 2026-11-01
    until: 2026-12-31
    over: 1000
    up_to: 200000
    hours: [{ from: "01:00", until: "24:00", days: [mon, sun] }]
    input: 0.075
    read: "0.0075"
    write: { 5m: 1, 12h: 0.1 }
    output: 2
    storage: 0.5
    tiers: { batch: 0.5 }
    source: contract 17
    as_of: 2026-10-30
    note: from the renewal
`,
    'prices.yaml',
  )
  expect(file).toEqual({
    kind: 'valid',
    rows: [
      {
        provider: 'deepseek',
        model: 'deepseek-v4-1',
        from: '2026-11-01',
        until: '2026-12-31',
        over: 1000,
        upTo: 200_000,
        hours: [{ from: '01:00', until: '24:00', days: [1, 7] }],
        input: '0.075',
        read: '0.0075',
        write: { '5m': '1', '12h': '0.1' },
        output: '2',
        storage: '0.5',
        tiers: { batch: '0.5' },
        source: 'contract 17',
        asOf: '2026-10-30',
        revision: expect.stringMatching(/^[0-9a-f]{8}$/),
        certainty: 'V',
        note: 'from the renewal',
      },
    ],
  })
})

test('what cannot be a price is refused with its place, what was found and what is allowed', () => {
  const rate = 'allowed: USD per million tokens with at most six decimals, such as 0.075'
  expect(problems('prices:\n  - { provider: p, model: m, input: -1 }')).toEqual([
    `prices.yaml:2:30  prices[0].input: found -1, ${rate}`,
  ])
  expect(problems('prices:\n  - { provider: p, model: m, input: 0.00000001 }')[0]).toContain('prices[0].input')
  expect(problems('prices:\n  - { provider: p, model: m, input: 1e400 }')[0]).toContain('prices[0].input')
  expect(problems('prices:\n  - { provider: p, model: m, inptu: 1 }')).toEqual([
    'prices.yaml:2:30  prices[0].inptu: unknown key; did you mean "input"?',
  ])
  expect(problems('prices:\n  - { model: m, input: 1 }')).toEqual([
    'prices.yaml:2:5  prices[0].provider: either a provider or an upstream has to be named, and not both',
  ])
  expect(problems('prices:\n  - { provider: p, model: m, from: 2026-02-30 }')[0]).toContain('a day as YYYY-MM-DD')
  expect(problems('prices:\n  - { provider: p, model: m, from: 2026-02-02, until: 2026-02-01 }')[0]).toContain(
    'prices[0].until: 2026-02-01 is before from, 2026-02-02',
  )
  expect(problems('prices:\n  - { provider: p, model: m, over: 5, up_to: 5 }')[0]).toContain(
    'prices[0].up_to: 5 is not more than over, 5',
  )
  expect(problems('prices:\n  - { provider: p, model: m, hours: [{ from: "22:00", until: "02:00" }] }')[0]).toContain(
    'prices[0].hours[0].until: 02:00 is not later than from, 22:00',
  )
  expect(problems('prices:\n  - { provider: p, model: gpt-*, input: 1 }')[0]).toContain('"gpt-*": * stands alone')
  expect(problems('prices:\n  - { provider: p, model: m, input: 0.000001, tiers: { half: 0.5 } }')[0]).toContain(
    'prices[0].tiers.half: with 0.5 a token costs a fraction of 1e-12 USD',
  )
  expect(
    problems('prices:\n  - { provider: p, model: m.1, input: 1 }\n  - { provider: p, model: m-1, input: 2 }'),
  ).toEqual(['prices.yaml:3:5  prices[1]: prices[0] has the same model, days, sizes and hours'])
  expect(problems('prices:\n  - { provider: p, model: m, tiers: { Batch: 0.5 } }')[0]).toContain('in small letters')
  expect(problems('prices: [')).toHaveLength(1)
  expect(problems('rows: []')).toHaveLength(2)
})

test('a file that cannot be read says why', async () => {
  expect(await readPriceFile('/nonexistent/prices.yaml')).toEqual({
    kind: 'invalid',
    problems: ['prices.yaml cannot be read: it does not exist'],
  })
})

test('the published JSON schema is up to date (node scripts/config-schema.mjs)', async () => {
  const published = await readFile(new URL('../../schema/prices.schema.json', import.meta.url), 'utf8')
  expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(priceFileJsonSchema())))
})
