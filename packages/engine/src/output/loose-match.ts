/**
 * How far a text follows an expected one, white space aside: models put it where they like between the parts of a call.
 * `read` and `expected` are counted in UTF-16 units; `undefined` = it does not follow.
 *
 * @example looseMatch('{"name": ', '{ "na') // { read: 5, expected: 4 }
 */
export function looseMatch(
  expected: string,
  text: string,
): { readonly read: number; readonly expected: number } | undefined {
  let at = 0
  let read = 0
  while (at < expected.length) {
    const [next, come] = [behindSpace(expected, at), behindSpace(text, read)]
    if (next === expected.length || come === text.length) break
    if (expected[next] !== text[come]) return undefined
    at = next + 1
    read = come + 1
  }
  return { read, expected: at }
}

function behindSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && /\s/.test(text[at] ?? '')) at++
  return at
}
