import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { modelFile } from '../gguf/demo-model.ts'
import type { Model } from '../native/contract.ts'
import { createRandom } from '../sample/random.ts'
import { requireNative, temporaryDirectory } from '../testing/native-fixture.ts'
import { GrammarRules, grammarText } from './gbnf.ts'
import { integerRange } from './integer-range.ts'
import { addJsonRules } from './json-rules.ts'
import type { SchemaOptions } from './schema-grammar.ts'
import { parseSchema, SchemaRules } from './schema-grammar.ts'

let model: Model
const directory = temporaryDirectory()
beforeAll(() => {
  model = requireNative().loadModel(modelFile('builtin:demo', directory), { dataDir: directory })
})
afterAll(() => model.close())

/** Whether a grammar takes a whole text, asked token by token as a generation would. */
function takes(grammarText: string, text: string): boolean {
  const grammar = model.createGrammar(grammarText)
  try {
    for (const token of model.tokenize(text, { special: false })) {
      if (!grammar.allows(token)) return false
      grammar.accept(token)
    }
    return grammar.allows(model.facts.eosToken)
  } finally {
    grammar.close()
  }
}

/** What random choices within a grammar make of it. */
function sample(grammarText: string, random: () => number, mostTokens = 400): string | undefined {
  const grammar = model.createGrammar(grammarText)
  const bytes: number[] = []
  try {
    for (let count = 0; count < mostTokens; count++) {
      const logits = Float32Array.from({ length: model.facts.vocabularySize }, () => random())
      // Ends, and what ends strings and lists, get their chance.
      logits[model.facts.eosToken] = 2
      for (const close of ['"', '}', ']', '"}']) {
        const [token] = model.tokenize(close, { special: false })
        if (token !== undefined && random() < 0.5) logits[token] = 2
      }
      const masked = grammar.mask(logits)
      const token = masked.indexOf(masked.reduce((best, value) => Math.max(best, value), -Infinity))
      if (masked[token] === -Infinity) throw new Error('nothing may follow')
      if (model.endsGeneration(token)) return Buffer.from(bytes).toString('utf8')
      grammar.accept(token)
      bytes.push(...model.tokenBytes(token))
    }
    return undefined
  } finally {
    grammar.close()
  }
}

const options = { strict: true, pointer: '/schema' }
const schemaGrammar = (schemaJson: string, how: SchemaOptions): string =>
  grammarText((rules) => new SchemaRules(rules, parseSchema(schemaJson, how.pointer), how).root())
const grammarOf = (schema: unknown): string => schemaGrammar(JSON.stringify(schema), options)

const person = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 12 },
    age: { type: 'integer', minimum: 0, maximum: 120 },
    tags: { type: 'array', items: { enum: ['a', 'b "c"', 1, null] }, maxItems: 3 },
    born: { type: 'string', format: 'date' },
    more: { type: ['null', 'boolean'] },
  },
  required: ['name', 'tags'],
  additionalProperties: false,
}

describe('the texts a schema allows', () => {
  test.each<[string, unknown, string[], string[]]>([
    [
      'members in order, optional ones left out, nothing else',
      person,
      [
        '{"name":"Ann","tags":[]}',
        '{"name": "Ann", "age": 120, "tags": ["a", "b \\"c\\"", null]}',
        '{"name":"","tags":[1],"born":"2026-02-28","more":null}',
        '{"name":"Ann","age":0,"tags":[],"more":true}',
      ],
      [
        '{}',
        '{"name":"Ann"}',
        '{"tags":[],"name":"Ann"}',
        '{"name":"Ann","age":121,"tags":[]}',
        '{"name":"Ann","age":-1,"tags":[]}',
        '{"name":"Ann","age":01,"tags":[]}',
        '{"name":"Ann","tags":["c"]}',
        '{"name":"Ann","tags":[1,1,1,1]}',
        '{"name":"Ann","tags":[],"born":"2026-13-01"}',
        '{"name":"Ann","tags":[],"x":1}',
        '{"name":"thirteen long","tags":[]}',
        '{"name":"Ann","tags":[]',
      ],
    ],
    [
      'all optional',
      { type: 'object', properties: { a: { const: 1 }, b: { const: 2 }, c: { const: 3 } } },
      ['{}', '{"a":1}', '{"b":2}', '{"a":1,"c":3}', '{"a":1,"b":2,"c":3}'],
      ['{,}', '{"a":1,}', '{"c":3,"a":1}', '{"a":2}'],
    ],
    [
      'references, also to itself',
      {
        $ref: '#/$defs/node',
        $defs: {
          node: {
            type: 'object',
            properties: { v: { type: 'boolean' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
            required: ['v', 'next'],
          },
        },
      },
      ['{"v":true,"next":null}', '{"v":true,"next":{"v":false,"next":null}}'],
      ['{"v":true}', '{"v":true,"next":{}}'],
    ],
    [
      'numbers of a range',
      { type: 'number', minimum: -2, maximum: 3 },
      ['-2', '-1.5', '0', '2.999', '3'],
      ['-2.5', '3.1', '4', '-3'],
    ],
    ['tuples', { prefixItems: [{ type: 'integer' }, { type: 'string' }] }, ['[1, "a"]'], ['[1]', '["a",1]']],
    [
      'allOf',
      {
        allOf: [
          { properties: { a: { const: 1 } }, required: ['a'] },
          { properties: { b: { const: 2 } }, required: ['b'] },
        ],
      },
      ['{"a":1,"b":2}'],
      ['{"a":1}'],
    ],
    ['maps', { type: 'object', additionalProperties: { type: 'integer' } }, ['{}', '{"x":1,"y":-2}'], ['{"x":"1"}']],
    ['at least two items', { type: 'array', items: { const: 1 }, minItems: 2 }, ['[1,1]', '[1,1,1]'], ['[]', '[1]']],
    ['any JSON', true, ['{"a":[1,2.5e3,"x\\u00e9"]}', 'null', '"é"'], ['{a:1}', "{'a':1}", '[1,]', '01']],
    [
      'ids',
      { type: 'string', format: 'uuid' },
      ['"00000000-0000-4000-8000-00000000000f"'],
      ['"0"', '"G0000000-0000-4000-8000-00000000000f"'],
    ],
  ])('%s', (_name, schema, good, bad) => {
    const grammar = grammarOf(schema)
    expect(good.filter((text) => !takes(grammar, text))).toEqual([])
    expect(bad.filter((text) => takes(grammar, text))).toEqual([])
  })

  test('whatever a grammar generates is JSON of the schema', () => {
    const random = createRandom(11)
    const texts = Array.from({ length: 40 }, () => sample(grammarOf(person), random)).filter(
      (text) => text !== undefined,
    )
    expect(texts.length).toBeGreaterThan(10)
    for (const text of texts) {
      const value = JSON.parse(text) as Record<string, unknown>
      expect(Object.keys(value).filter((name) => !(name in person.properties))).toEqual([])
      expect(value).toMatchObject({ name: expect.any(String), tags: expect.any(Array) })
    }
    const objects = Array.from({ length: 20 }, () =>
      sample(
        grammarText((rules) => addJsonRules(rules).object),
        random,
      ),
    ).filter((text) => text !== undefined)
    expect(objects.map((text) => typeof JSON.parse(text))).toEqual(objects.map(() => 'object'))
    expect(objects.length).toBeGreaterThan(3)
  })
})

test('an integer range holds its numbers and no others', () => {
  const random = createRandom(3)
  for (let round = 0; round < 40; round++) {
    const [a, b] = [0, 0].map(() => Math.floor((random() - 0.5) * 10 ** (1 + Math.floor(random() * 4))))
    const [low, high] = [Math.min(a ?? 0, b ?? 0), Math.max(a ?? 0, b ?? 0)]
    const grammar = new GrammarRules().text(integerRange(low, high))
    for (const number of [low - 1, low, low + 1, 0, -1, 1, high - 1, high, high + 1, Math.floor((low + high) / 2)]) {
      expect([low, high, number, takes(grammar, String(number))]).toEqual([
        low,
        high,
        number,
        number >= low && number <= high,
      ])
    }
  }
  expect(() => integerRange(2, 1)).toThrow('no integer')
})

test.each([
  [{ type: 'strange' }, '/schema/type'],
  [{ type: 'object', properties: { a: { type: 'string', pattern: '(?=x)' } } }, '/schema/properties/a/pattern'],
  [{ properties: { 'a/b': { enum: [] } } }, '/schema/properties/a~1b'],
  [{ $ref: '#/$defs/none' }, '/schema/$ref'],
  [{ $ref: 'https://example.com/x' }, '/schema/$ref'],
  [{ type: 'integer', minimum: 2, maximum: 1 }, '/schema'],
  [{ type: 'string', format: 'iri' }, '/schema/format'],
  [{ items: 3 }, '/schema/items'],
  [{ $ref: '#/%zz' }, '/schema/$ref'],
  [{ $ref: '#/__proto__' }, '/schema/$ref'],
  [{ $defs: {}, $ref: '#/$defs/constructor' }, '/schema/$ref'],
  [{ type: 'number', minimum: 1e300 }, '/schema'],
  [{ type: 'number', minimum: 2, maximum: 1 }, '/schema'],
])('what cannot be enforced or is no schema is refused with its place: %j', (schema, param) => {
  expect(() => grammarOf(schema)).toThrow(expect.objectContaining({ param }))
})

test('what cannot be enforced is left to the model where the client did not ask for strictness', () => {
  const loose = schemaGrammar(JSON.stringify({ type: 'string', pattern: '(?=x)', format: 'iri' }), {
    ...options,
    strict: false,
  })
  expect(takes(loose, '"anything"')).toBe(true)
  expect(() => schemaGrammar('{', options)).toThrow('not valid JSON')
})

test('a number between bounds without a whole one has digits behind the point', () => {
  const grammar = grammarOf({ type: 'number', minimum: 0.1, exclusiveMaximum: 0.2 })
  expect(['0.100', '0.150', '0.199', '0.2', '0.200', '0.099', '0.15'].map((text) => takes(grammar, text))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ])
})

test('a schema of enormous depth or size is refused', () => {
  let deep: unknown = { type: 'null' }
  for (let level = 0; level < 200; level++) deep = { type: 'array', items: deep }
  expect(() => grammarOf(deep)).toThrow('deeper than 64')
  const wide = {
    properties: Object.fromEntries(
      Array.from({ length: 12_000 }, (_, index) => [`m${index}`, { type: 'string', maxLength: 3 }]),
    ),
  }
  expect(() => grammarOf(wide)).toThrow('more than 20000 rules')
  // Of members whose values need no rule of their own there are rules as well.
  const plain = {
    properties: Object.fromEntries(Array.from({ length: 21_000 }, (_, at) => [`m${at}`, { type: 'null' }])),
  }
  expect(() => grammarOf(plain)).toThrow('more than 20000 rules')
})

test('alternatives of parts that multiply are refused at once', () => {
  const member = (name: string): object => ({ type: 'object', properties: { [name]: {} }, required: [name] })
  const parts = Array.from({ length: 24 }, (_, at) => ({ anyOf: [member(`p${at}`), member(`q${at}`)] }))
  const began = performance.now()
  expect(() => grammarOf({ allOf: parts })).toThrow('begin alike')
  expect(performance.now() - began).toBeLessThan(2_000)
})

test('a count of any length is a count', () => {
  expect(() => grammarOf({ type: 'string', pattern: '^a{99999999999999999999}$' })).toThrow('1000 allowed')
})

test('alternatives that begin alike and contain themselves are refused; those that begin apart are not', () => {
  const list = (items: unknown): unknown => ({ type: 'array', items })
  const self = { $ref: '#/$defs/e' }
  const alike = { $defs: { e: { anyOf: [list(self), list({ anyOf: [self, { type: 'null' }] })] } }, ...self }
  expect(() => grammarOf(alike)).toThrow('more than 32 alternatives may begin alike')
  const loose = schemaGrammar(JSON.stringify(alike), { ...options, strict: false })
  expect(takes(loose, '[[null]]')).toBe(true)
  const node = (op: string, more: object): object => ({
    type: 'object',
    properties: { op: { const: op }, ...more },
    required: ['op', ...Object.keys(more)],
    additionalProperties: false,
  })
  const apart = {
    $defs: { e: { anyOf: [node('add', { a: self, b: self }), node('not', { a: self }), node('x', {})] } },
    ...self,
  }
  const grammar = grammarOf(apart)
  expect(takes(grammar, '{"op":"add","a":{"op":"not","a":{"op":"x"}},"b":{"op":"x"}}')).toBe(true)
  expect(takes(grammar, '{"op":"not","a":{"op":"x"},"b":{"op":"x"}}')).toBe(false)
  // Without recursion a few are followed side by side.
  const kind = (name: string): object => ({
    properties: { id: { type: 'integer' }, kind: { const: name } },
    required: ['id', 'kind'],
  })
  expect(takes(grammarOf({ anyOf: [kind('a'), kind('b')] }), '{"id":1,"kind":"b"}')).toBe(true)
  const many = Array.from({ length: 33 }, (_, index) => kind(`k${index}`))
  expect(() => grammarOf({ anyOf: many })).toThrow('begin alike')
})

test.each<[string, unknown, string[], string[]]>([
  [
    'members that are required and not described',
    { type: 'object', properties: { a: { const: 1 } }, required: ['b'], additionalProperties: { const: 2 } },
    ['{"b":2}', '{"a":1,"b":2}', '{"b":2,"c":2}'],
    ['{}', '{"a":1}', '{"b":2,"a":2}', '{"b":3}'],
  ],
  [
    'keywords beside a choice',
    { minimum: 1, anyOf: [{ type: 'integer', maximum: 2 }, { const: 'x' }] },
    ['1', '2', '"x"'],
    ['0', '3'],
  ],
  [
    'keywords beside a reference',
    { $defs: { n: { type: 'integer', minimum: 0 } }, $ref: '#/$defs/n', maximum: 9 },
    ['0', '9'],
    ['10', '-1'],
  ],
  [
    'parts that bound the same',
    { allOf: [{ type: 'integer', minimum: 2 }, { minimum: 4, maximum: 9 }, { maximum: 5 }] },
    ['4', '5'],
    ['2', '6'],
  ],
  ['an enum of one type', { type: ['string', 'null'], enum: ['a', 1, null] }, ['"a"', 'null'], ['1']],
  ['multiples', { type: 'integer', multipleOf: 5, minimum: -10, maximum: 10 }, ['-10', '0', '5'], ['3', '15', '-0']],
  ['multiples without bounds', { type: 'integer', multipleOf: 7 }, ['0', '7', '-14', '7000007'], ['1', '8', '07']],
  ['prices', { type: 'number', multipleOf: 0.01, minimum: 0, maximum: 5 }, ['0', '4.99', '5'], ['4.999', '5.1']],
  ['old tuples', { type: 'array', items: [{ const: 1 }], minItems: 2 }, ['[1,null]'], ['[1]', '[2,1]']],
  ['no items', { type: 'array', items: false }, ['[]'], ['[1]']],
  ['exclusive bounds of old', { type: 'integer', minimum: 1, exclusiveMinimum: true, maximum: 2 }, ['2'], ['1']],
])('%s', (_name, schema, good, bad) => {
  const grammar = grammarOf(schema)
  expect(good.filter((text) => !takes(grammar, text))).toEqual([])
  expect(bad.filter((text) => takes(grammar, text))).toEqual([])
})

test('text that is no grammar is refused in plain words', () => {
  expect(() => model.createGrammar('root = broken')).toThrow('no grammar')
})
