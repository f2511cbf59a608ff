import * as fc from 'fast-check'

const stringText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4 }).map((text) => JSON.stringify(text).slice(1, -1)),
      fc.constantFrom('\\/', '\\u00e9', '\\ud83d\\ude00', '\\ud800', 'é', '漢', '😀', '\\"', '\\\\', '\u007f'),
    ),
    { maxLength: 6 },
  )
  .map((parts) => `"${parts.join('')}"`)

/** JSON text with odd spacing, escapes, repeated names, numbers of any size: what a client may send. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('null', 'true', 'false', '-0', '1e5', '12345678901234567890', '-1.5E-7', '0.1e+2', '1e400'),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
    stringText,
    fc.array(tie('value')).chain((values) => spaced(['[', ...joined(values), ']'])),
    fc
      .array(fc.tuple(fc.oneof(stringText, fc.constantFrom('"a"', '"\\u0061"')), tie('value')))
      .chain((pairs) => spaced(['{', ...joined(pairs.map(([key, value]) => `${key}:${value}`)), '}'])),
  ),
})).value

function joined(values: readonly string[]): string[] {
  return values.flatMap((value, index) => (index === 0 ? [value] : [',', value]))
}

function spaced(tokens: readonly string[]): fc.Arbitrary<string> {
  return fc
    .array(fc.constantFrom('', ' ', '\n', '\t\r\n '), { minLength: tokens.length, maxLength: tokens.length })
    .map((spaces) => tokens.map((token, index) => token + (spaces[index] ?? '')).join(''))
}
