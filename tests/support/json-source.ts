import * as fc from 'fast-check'

/** JSON text before it is spelled out: scalars as they are to be written, containers as lists that keep order and repeats. */
export type JsonSource = string | readonly JsonSource[] | { readonly members: readonly JsonMember[] }

/** A name as it is to be written, quotes included, and its value. */
export type JsonMember = readonly [name: string, value: JsonSource]

/**
 * Spells a source out; `spaces` are used in turn between tokens, none where the list is empty.
 * @example spell({ members: [['"a"', '1.0']] }, [' ']) // '{ "a" : 1.0 }'
 */
export function spell(source: JsonSource, spaces: readonly string[] = []): string {
  const tokens: string[] = []
  collect(source, tokens)
  if (spaces.length === 0) return tokens.join('')
  return tokens.map((token, index) => token + (spaces[index % spaces.length] ?? '')).join('')
}

function collect(source: JsonSource, tokens: string[]): void {
  if (typeof source === 'string') {
    tokens.push(source)
  } else if ('members' in source) {
    tokens.push('{')
    for (const [index, [name, value]] of source.members.entries()) {
      tokens.push(...(index === 0 ? [name] : [',', name]), ':')
      collect(value, tokens)
    }
    tokens.push('}')
  } else {
    tokens.push('[')
    for (const [index, value] of source.entries()) {
      if (index > 0) tokens.push(',')
      collect(value, tokens)
    }
    tokens.push(']')
  }
}

/** What may stand between two tokens, told by a short list that is gone through again and again. */
export const oddSpaces: fc.Arbitrary<string[]> = fc.oneof(
  fc.constant<string[]>([]),
  fc.array(fc.constantFrom('', '', ' ', '\n', '\t', '\r\n  '), { minLength: 1, maxLength: 7 }),
)

/** Numbers that a reader who takes them for doubles would write otherwise. */
export const oddNumber: fc.Arbitrary<string> = fc.constantFrom(
  '0',
  '-0',
  '1.0',
  '1e3',
  '1E+2',
  '0.10',
  '-1.5e-7',
  '1e400',
  '12345678901234567890',
  '0.1234567890123456789012345',
)

const stringPart = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.string({ unit: 'binary', maxLength: 5 }).map((text) => JSON.stringify(text).slice(1, -1)),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '\\"',
      '\\\\',
      '\\/',
      '\\b',
      '\\f',
      '\\n',
      '\\r',
      '\\t',
      '\\u0041',
      '\\u00e9',
      '\\u00E9',
      '\\ud83d\\ude00',
      '\\ud800',
      '\\u0000',
      '\\u2028',
      '/',
      'é',
      '漢字',
      '😀',
      '\u2028',
      '\u007f',
      '\\\\\\"}],{[',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('plain words', 'cache_control', '"model"'.replaceAll('"', '\\"')) },
)

/** A string, quotes included, with every kind of escape there is. */
export const oddString: fc.Arbitrary<string> = fc
  .array(stringPart, { maxLength: 4 })
  .map((parts) => `"${parts.join('')}"`)

/** The same, and never empty. */
export const oddText: fc.Arbitrary<string> = oddString.map((text) => (text === '""' ? '"\\u0020"' : text))

/** Any value, of any kind and depth, with names that repeat. */
export const oddValue: fc.Arbitrary<JsonSource> = fc.letrec<{ value: JsonSource }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    fc.constantFrom('null', 'true', 'false'),
    oddNumber,
    oddString,
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.oneof(oddString, fc.constantFrom('"a"', '"\\u0061"')), tie('value')), { maxLength: 3 })
      .map((members) => ({ members })),
  ),
})).value

/** An object of any members. */
export const oddObject: fc.Arbitrary<JsonSource> = fc
  .array(fc.tuple(oddString, oddValue), { maxLength: 3 })
  .map((members) => ({ members }))

/** A value at the bottom of many arrays and objects. */
export const deepValue: fc.Arbitrary<JsonSource> = fc
  .tuple(fc.integer({ min: 0, max: 60 }), oddValue)
  .map(([depth, value]) => {
    let source: JsonSource = value
    for (let i = 0; i < depth; i++) source = i % 2 === 0 ? [source] : { members: [['"deep"', source]] }
    return source
  })

/** A name as clients write it, now and then with one of its letters escaped. */
export function spelledName(name: string): fc.Arbitrary<string> {
  return fc.nat(20 + name.length).map((choice) => {
    const at = choice - 21
    if (at < 0) return `"${name}"`
    const escape = `\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}`
    return `"${name.slice(0, at)}${escape}${name.slice(at + 1)}"`
  })
}

/**
 * An object: members that are always there, others that may be, unknown ones, in any order. A member may be said
 * twice, with the value that counts last.
 */
export function oddMembers(
  always: Readonly<Record<string, fc.Arbitrary<JsonSource>>>,
  sometimes: Readonly<Record<string, fc.Arbitrary<JsonSource>>> = {},
): fc.Arbitrary<JsonSource> {
  const member = ([name, value]: [string, fc.Arbitrary<JsonSource>]): fc.Arbitrary<JsonMember[]> =>
    fc
      .tuple(spelledName(name), value, fc.option(oddValue, { freq: 15 }))
      .map(([spelled, value, shadowed]): JsonMember[] =>
        shadowed === null
          ? [[spelled, value]]
          : [
              [`"${name}"`, shadowed],
              [spelled, value],
            ],
      )
  const named = [
    ...Object.entries(always).map(member),
    ...Object.entries(sometimes).map((entry) => fc.option(member(entry), { freq: 2, nil: [] })),
    fc.option(unknownMember, { freq: 3, nil: [] }),
    fc.option(unknownMember, { freq: 3, nil: [] }),
  ]
  return fc.tuple(fc.tuple(...named), fc.array(fc.nat(), { maxLength: 12 })).map(([lists, order]) => {
    return { members: shuffled(lists, order).flat() }
  })
}

const unknownMember = fc
  .tuple(oddString, fc.oneof({ weight: 5, arbitrary: oddValue }, { weight: 1, arbitrary: deepValue }))
  .map(([name, value]): JsonMember[] => [[`"x${name.slice(1)}`, value]])

function shuffled<T>(items: readonly T[], order: readonly number[]): T[] {
  const left = [...items]
  const result: T[] = []
  for (let i = 0; left.length > 0; i++) {
    const [item] = left.splice((order[i] ?? 0) % left.length, 1)
    if (item !== undefined) result.push(item)
  }
  return result
}
