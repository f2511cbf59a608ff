import { expect, test } from 'vitest'
import { synthesiseJson } from './synthesise-json.ts'

test.each<[string, unknown, unknown]>([
  [
    'required members only, nested',
    {
      type: 'object',
      properties: { a: { type: 'object', properties: { b: { type: 'integer' } }, required: ['b'] }, c: {} },
      required: ['a'],
    },
    { a: { b: 1 } },
  ],
  ['the first of an enum', { enum: ['x', 'y'] }, 'x'],
  ['a const', { const: 5 }, 5],
  ['the first alternative', { anyOf: [{ type: 'number' }, { type: 'string' }] }, 1],
  ['the type that is not null', { type: ['null', 'boolean'] }, true],
  ['a reference', { $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'string', enum: ['found'] } } }, 'found'],
  [
    'parts that are merged',
    {
      allOf: [
        { properties: { a: { type: 'null' } }, required: ['a'] },
        { properties: { b: { const: 1 } }, required: ['b'] },
      ],
      type: 'object',
    },
    { a: null, b: 1 },
  ],
  ['as many items as wanted', { type: 'array', minItems: 2, items: { type: 'boolean' } }, [true, true]],
  ['no item where none is allowed', { type: 'array', maxItems: 0, items: {} }, []],
  [
    'numbers within their limits',
    { type: 'array', minItems: 1, items: { type: 'number', exclusiveMinimum: 3, multipleOf: 2 } },
    [6],
  ],
  ['a negative maximum', { type: 'integer', maximum: -3 }, -3],
  ['a format', { type: 'string', format: 'date' }, '2026-01-15'],
])('a value is synthesised: %s', (_name, schema, value) => {
  expect(synthesiseJson(schema)).toEqual(value)
})

test('texts keep their lengths', () => {
  const length = (schema: object): number => (synthesiseJson({ type: 'string', ...schema }) as string).length
  expect(length({ minLength: 50 })).toBeGreaterThanOrEqual(50)
  expect(length({ maxLength: 2 })).toBeLessThanOrEqual(2)
})

test('a schema that refers to itself comes to an end', () => {
  const node = {
    type: 'object',
    properties: { next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
    required: ['next'],
  }
  const text = JSON.stringify(synthesiseJson({ $ref: '#/$defs/node', $defs: { node } }))
  expect(text).toMatch(/^(\{"next":)+null\}+$/)
})
