import type { ChatMessage } from '@incipit/core'
import { array, assert, constantFrom, property, record } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { foldMessages } from './fold-messages.ts'
import type { TemplateTraits } from './template-traits.ts'

/** Takes everything. */
const easy: TemplateTraits = {
  typedContent: false,
  developerRole: true,
  system: 'anywhere',
  alternates: false,
  toolDefinitions: true,
  toolTurns: true,
  answersResults: false,
  singleCalls: false,
  shortIds: false,
  argumentText: true,
}
/** Takes next to nothing. */
const strict: TemplateTraits = {
  ...easy,
  developerRole: false,
  system: 'nowhere',
  alternates: true,
  answersResults: true,
  singleCalls: true,
  shortIds: true,
}
const wordless: TemplateTraits = { ...strict, toolDefinitions: false, toolTurns: false }

const message = record({
  role: constantFrom<ChatMessage['role']>('system', 'developer', 'user', 'assistant', 'tool'),
  content: constantFrom('', 'a', 'b'),
  toolCallId: constantFrom('', 'call_1', 'call_2'),
  ids: constantFrom<string[]>([], [], ['call_1'], ['call_1', 'call_2'], ['']),
}).map(({ role, content, toolCallId, ids }): ChatMessage => {
  if (role === 'tool') return { role, content, toolCallId }
  if (role !== 'assistant' || ids.length === 0) return { role, content }
  return { role, content, toolCalls: ids.map((id) => ({ id, name: 'f', arguments: '{}' })) }
})

describe('messages as a template takes them', () => {
  test('a template that takes everything gets everything as it is', () => {
    assert(
      property(array(message), (messages) => {
        const named = messages.filter(
          ({ toolCallId, toolCalls = [] }) => toolCallId !== '' && toolCalls.every(({ id }) => id !== ''),
        )
        expect(foldMessages(named, easy, '')).toEqual(named)
      }),
    )
  })

  test('D-28 a longer conversation keeps the messages of a shorter one, all but the last', () => {
    assert(
      property(array(message, { minLength: 1 }), array(message), (shorter, more) => {
        for (const traits of [strict, wordless]) {
          const before = foldMessages(shorter, traits, 'TOOLS')
          // Results of a turn with several calls stand behind their calls: a turn that is still open may grow inside.
          const open = shorter.findLastIndex(({ role }) => role !== 'tool')
          if (traits.singleCalls && traits.toolTurns && (shorter[open]?.toolCalls ?? []).length > 1) continue
          const after = foldMessages([...shorter, ...more], traits, 'TOOLS')
          expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1))
          expect(after[before.length - 1]?.role).toBe(before.at(-1)?.role)
          expect(after[before.length - 1]?.content.startsWith(before.at(-1)?.content ?? '')).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('nothing that was said is lost', () => {
    assert(
      property(array(message), (messages) => {
        const said = messages.map(({ content }) => content).join('')
        const folded = foldMessages(messages, wordless, '').map(({ content }) =>
          content.replaceAll(/<tool_(call|response)>\n|\n<\/tool_(call|response)>|\{"name"[^\n]*|\n/g, ''),
        )
        expect(folded.join('')).toBe(said)
      }),
    )
  })

  test('strict templates get turns in order, calls one by one, ids of nine characters', () => {
    assert(
      property(array(message), (messages) => {
        const folded = foldMessages(messages, strict, '')
        for (const [index, { role, toolCalls = [], toolCallId }] of folded.entries()) {
          expect(['user', 'assistant', 'tool']).toContain(role)
          expect(toolCalls.length).toBeLessThan(2)
          for (const id of [...toolCalls.map((call) => call.id), toolCallId ?? 'undefined']) {
            expect(id).toMatch(/^[a-zA-Z0-9]{9}$/)
          }
          const behind = `${folded[index - 1]?.role} ${role}`
          expect(['user user', 'tool user']).not.toContain(behind)
        }
      }),
    )
  })

  test('calls and results without ids find each other by their order', () => {
    const calls = ['', 'mine', ''].map((id) => ({ id, name: 'f', arguments: '{}' }))
    const results = ['', 'mine', ''].map((toolCallId): ChatMessage => ({ role: 'tool', content: '', toolCallId }))
    const folded = foldMessages([{ role: 'assistant', content: '', toolCalls: calls }, ...results], easy, '')
    const [first, ...others] = folded
    expect(first?.toolCalls?.map(({ id }) => id)).toEqual(['call00001', 'mine', 'call00003'])
    expect(others.map(({ toolCallId }) => toolCallId)).toEqual(['call00001', 'mine', 'call00003'])
  })
})
