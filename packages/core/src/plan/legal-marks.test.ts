import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { MarkSlot, SlotMark } from './legal-marks.ts'
import { legalMarks, markJson } from './legal-marks.ts'

type Origin = SlotMark['origin']
const mark = (origin: Origin, life: SlotMark['life']): SlotMark => ({ origin, life, json: markJson(life) })
const slot = (level: MarkSlot['level'], index: number, of?: SlotMark): MarkSlot => {
  return { level, where: `/${level}/${index}`, takes: 'mark', mark: of }
}
const livesOf = (slots: MarkSlot[]): string[] =>
  legalMarks({ slots, automatic: undefined, max: 4 }).placed.map((placed) => `${placed.slot}:${placed.mark.life}`)

test('D-13 planned marks go before any of the client', () => {
  const slots = [
    slot('tools', 0, mark('planned', '5m')),
    slot('system', 0, mark('planned', '5m')),
    ...[0, 1, 2].map((index) => slot('messages', index, mark('client', '5m'))),
    slot('messages', 3, mark('planned', '5m')),
  ]
  const { placed, warnings } = legalMarks({ slots, automatic: undefined, max: 4 })
  // Of ours the one at the end of the prompt holds most.
  expect(placed.map((entry) => entry.slot)).toEqual([2, 3, 4, 5])
  expect(warnings.map(({ where }) => where)).toEqual(['/tools/0', '/system/0'])
})

test('D-15 ours is lowered behind a shorter mark of the client, and raised before a longer one', () => {
  expect(livesOf([slot('system', 0, mark('client', '5m')), slot('messages', 0, mark('planned', '1h'))])).toEqual([
    '0:5m',
    '1:5m',
  ])
  expect(livesOf([slot('system', 0, mark('planned', '5m')), slot('messages', 0, mark('client', '1h'))])).toEqual([
    '0:1h',
    '1:1h',
  ])
})

test('D-15 a life that changes is told, and its text with it', () => {
  const slots = [slot('system', 0, mark('translated', '5m')), slot('messages', 0, mark('translated', '1h'))]
  const { placed, warnings } = legalMarks({ slots, automatic: undefined, max: 4 })
  expect(placed[0]?.mark.json).toBe('{"type":"ephemeral","ttl":"1h"}')
  expect(warnings).toMatchObject([{ code: 'ttl_changed', where: '/system/0' }])
})

test('a planned mark on the last block makes room for the client automatic one', () => {
  const slots = [slot('messages', 0, mark('planned', '1h'))]
  const { placed, automatic } = legalMarks({ slots, automatic: mark('client', '5m'), max: 4 })
  expect([placed, automatic?.life]).toEqual([[], '5m'])
})

const origins = fc.constantFrom<Origin>('client', 'translated', 'planned')
const marks = fc.option(fc.tuple(origins, fc.constantFrom<SlotMark['life']>('5m', '1h')), { nil: undefined })

test('D-13 D-15 never too many, client lives kept, and only clients own order is ever wrong', () => {
  fc.assert(
    fc.property(fc.array(marks, { maxLength: 9 }), marks, fc.nat(5), (list, moving, max) => {
      const slots = list.map((entry, index) => slot('messages', index, entry && mark(...entry)))
      const automatic = moving && mark(...moving)
      const { placed, automatic: kept } = legalMarks({ slots, automatic, max })
      const isFree = placed.at(-1)?.slot === slots.length - 1
      expect(placed.length + (kept === undefined || isFree ? 0 : 1)).toBeLessThanOrEqual(max)
      const all = [...placed.map((entry) => entry.mark), ...(kept === undefined ? [] : [kept])]
      const clients = placed.filter((entry) => entry.mark.origin === 'client')
      expect(clients.map((entry) => entry.mark)).toEqual(clients.map((entry) => slots[entry.slot]?.mark))
      const wrong = all.filter(
        (out, index) => out.life === '1h' && all.slice(0, index).some(({ life }) => life === '5m'),
      )
      expect(wrong.every(({ origin }) => origin === 'client')).toBe(true)
      const isClientsFault = all.some(
        (out, index) => out.life === '1h' && all.slice(0, index).some((a) => a.life === '5m' && a.origin === 'client'),
      )
      expect(isClientsFault || wrong.length === 0).toBe(true)
    }),
    { numRuns: 400 },
  )
})
