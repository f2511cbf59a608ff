import * as fc from 'fast-check'

type Json = Record<string, unknown>

/** Names with what is awkward in JSON, in grammars and in patterns. */
const name = fc.oneof(
  fc.constantFrom(
    'a',
    'ab',
    'abc',
    'b',
    '',
    'é',
    '日本',
    '👍',
    'a"b',
    'a\\b',
    'root',
    'value',
    'string',
    'a b',
    '\n',
    '#/x~1',
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
)
const literal: fc.Arbitrary<unknown> = fc.oneof(
  name,
  fc.integer({ min: -50, max: 50 }),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom(1.5, 'x\ty', { k: [1, '"'] }, []),
)
const integer = fc
  .tuple(fc.integer({ min: -2000, max: 2000 }), fc.nat(500), fc.constantFrom(0, 1, 2, 3))
  .map(([minimum, size, kind]): Json => ({
    type: 'integer',
    ...(kind !== 1 ? { minimum } : {}),
    ...(kind !== 2 ? { maximum: minimum + size } : {}),
    ...(kind === 3 ? { minimum: undefined, exclusiveMinimum: minimum - 1 } : {}),
  }))
const number = fc
  .tuple(
    fc.integer({ min: -500, max: 500 }),
    fc.integer({ min: 1, max: 300 }),
    fc.constantFrom(1, 10, 100),
    fc.boolean(),
  )
  .map(([low, size, scale, exclusive]): Json => {
    const [least, most] = [low / scale, (low + size) / scale]
    return exclusive
      ? { type: 'number', exclusiveMinimum: least, exclusiveMaximum: most }
      : { type: 'number', minimum: least, maximum: most }
  })
const text = fc.oneof(
  fc.record({ type: fc.constant('string') }),
  fc
    .tuple(fc.nat(3), fc.nat(4))
    .map(([least, more]): Json => ({ type: 'string', minLength: least, maxLength: least + more })),
  fc
    .constantFrom('date', 'time', 'date-time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uuid')
    .map((format): Json => ({ type: 'string', format })),
  fc
    .constantFrom(
      '^[A-Z]{2}-\\d{1,4}$',
      '^(?:red|green|blue)(?:-\\w+)?$',
      'b+',
      '^a|z$',
      '^["\\\\\\n]{1,3}$',
      '^[^a-y0-9]{0,3}\\.$',
      '^\\u00e9[\\u{1F44D}-\\u{1F450}]?$',
      '^(a|b(?<n>c|d){2,}?){1,3}$',
      '^$',
    )
    .map((pattern): Json => ({ type: 'string', pattern })),
)
const other = fc.oneof(
  fc.constant<unknown>(true),
  fc.constantFrom<unknown>({}, { type: 'boolean' }, { type: 'null' }, { type: ['string', 'null'], maxLength: 3 }),
  fc
    .uniqueArray(literal, { minLength: 1, maxLength: 6, selector: (value) => JSON.stringify(value) })
    .map((values) => ({ enum: values })),
  literal.map((value) => ({ const: value })),
  fc.constantFrom<unknown>(
    { type: 'integer', multipleOf: 7 },
    { type: 'number', multipleOf: 0.01, minimum: 0, maximum: 9 },
  ),
)

/**
 * Schemas of which every part can be kept to, with a definition that refers to itself.
 * @example fc.assert(fc.property(schemaArbitrary, (schema) => ...))
 */
export const schemaArbitrary: fc.Arbitrary<unknown> = fc
  .letrec<{ schema: unknown; object: Json; array: Json; choice: Json }>((tie) => ({
    schema: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      other,
      integer,
      number,
      text,
      fc.constant({ $ref: '#/$defs/node' }),
      tie('object'),
      tie('array'),
      tie('choice'),
    ),
    object: fc
      .tuple(
        fc.uniqueArray(fc.tuple(name, tie('schema'), fc.boolean()), { maxLength: 5, selector: ([key]) => key }),
        fc.oneof(fc.constant<unknown>(undefined), fc.boolean(), tie('schema')),
      )
      .map(([members, additionalProperties]) => ({
        type: 'object',
        properties: Object.fromEntries(members.map(([key, schema]) => [key, schema])),
        required: members.filter(([, , isRequired]) => isRequired).map(([key]) => key),
        ...(additionalProperties === undefined ? {} : { additionalProperties }),
      })),
    array: fc
      .tuple(tie('schema'), fc.nat(2), fc.option(fc.nat(3), { nil: undefined }))
      .map(([items, minItems, more]) => ({
        type: 'array',
        items,
        minItems,
        ...(more === undefined ? {} : { maxItems: minItems + more }),
      })),
    choice: fc
      .tuple(fc.array(tie('schema'), { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([anyOf, isAll]) => (isAll ? { allOf: [{ anyOf }] } : { anyOf })),
  }))
  .schema.map((schema) => ({
    $defs: {
      node: {
        type: 'object',
        properties: { next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
        required: ['next'],
        additionalProperties: false,
      },
    },
    allOf: [schema],
  }))
