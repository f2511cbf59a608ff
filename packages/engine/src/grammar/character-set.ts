/** Code points from `first` to `last`. */
export type PointRange = readonly [first: number, last: number]

/** A set of characters: ranges of code points in ascending order that do not touch. */
export type CharacterSet = readonly PointRange[]

/** All characters that a text can have; halves of surrogate pairs are none. */
export const anyCharacter: CharacterSet = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
]

/** @example union([[[97, 99]], [[98, 102]]]) // [[97, 102]] */
export function union(sets: readonly CharacterSet[]): CharacterSet {
  const ranges = sets.flat().toSorted(([left], [right]) => left - right)
  const joined: [number, number][] = []
  for (const [first, last] of ranges) {
    const open = joined.at(-1)
    if (open !== undefined && first <= open[1] + 1) open[1] = Math.max(open[1], last)
    else joined.push([first, last])
  }
  return joined
}

/** Characters of `set` that are not in `taken`. @example without([[97, 99]], [[98, 98]]) // [[97, 97], [99, 99]] */
export function without(set: CharacterSet, taken: CharacterSet): CharacterSet {
  return taken.reduce<CharacterSet>(
    (left, [from, to]) =>
      left.flatMap(([first, last]): PointRange[] => {
        if (to < first || from > last) return [[first, last]]
        const parts: PointRange[] = []
        if (first < from) parts.push([first, from - 1])
        if (last > to) parts.push([to + 1, last])
        return parts
      }),
    set,
  )
}

export function contains(set: CharacterSet, point: number): boolean {
  return set.some(([first, last]) => point >= first && point <= last)
}

/** What JSON writes only behind a backslash; DEL is left to escapes as well. */
const escapedOnly: CharacterSet = [
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
  [0x7f, 0x7f],
]

/** Characters that stand for themselves in a JSON string. */
export const plainCharacters: CharacterSet = without(anyCharacter, escapedOnly)

/**
 * GBNF for one character of a set, as it stands inside a JSON string; `undefined` where there is none.
 * @example characterIn([[97, 99]]) // '[a-c]'
 */
export function characterIn(set: CharacterSet): string | undefined {
  const plain = without(set, escapedOnly).map(classRange).join('')
  const alternatives = plain === '' ? [] : [`[${plain}]`]
  for (const [first, last] of escapedOnly) {
    for (let point = first; point <= last; point++) if (contains(set, point)) alternatives.push(escaped(point))
  }
  if (alternatives.length === 0) return undefined
  return alternatives.length === 1 ? alternatives[0] : `(${alternatives.join(' | ')})`
}

function classRange([first, last]: PointRange): string {
  return first === last ? classPoint(first) : `${classPoint(first)}-${classPoint(last)}`
}

function classPoint(point: number): string {
  if (point < 0x80) {
    const text = String.fromCharCode(point)
    return /[0-9A-Za-z]/.test(text) ? text : `\\x${point.toString(16).padStart(2, '0')}`
  }
  return point < 0x10000 ? `\\u${point.toString(16).padStart(4, '0')}` : `\\U${point.toString(16).padStart(8, '0')}`
}

/** A character behind a backslash, as GBNF text. */
function escaped(point: number): string {
  const inJson = point === 0x7f ? '\\u007f' : JSON.stringify(String.fromCharCode(point)).slice(1, -1)
  return `"${inJson.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
