import { anyCharacter, union, without } from './character-set.ts'
import type { CharacterSet } from './character-set.ts'

/** A regular expression, read. Lengths are in characters. */
export type Pattern =
  | { readonly kind: 'character'; readonly set: CharacterSet }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly part: Pattern; readonly least: number; readonly most: number | undefined }

/** Longest expression, deepest nesting, and largest count of a repetition. */
const most = { characters: 2_000, depth: 32, count: 1_000 }

/** What keeps an expression from being a grammar. */
export class PatternError extends Error {}

const digit: CharacterSet = [[0x30, 0x39]]
const word: CharacterSet = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]
const space: CharacterSet = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]
const lineEnds: CharacterSet = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]
const classes: Readonly<Record<string, CharacterSet>> = {
  d: digit,
  D: without(anyCharacter, digit),
  w: word,
  W: without(anyCharacter, word),
  s: space,
  S: without(anyCharacter, space),
}
const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, 0: 0 }

const anything: Pattern = {
  kind: 'repeat',
  part: { kind: 'character', set: anyCharacter },
  least: 0,
  most: undefined,
}

/**
 * Reads a regular expression of a JSON schema (ECMA-262 with Unicode): characters, classes, groups, alternatives and
 * repetitions. Where an alternative has no anchor, anything may stand there, as the schema says.
 *
 * @throws PatternError in plain words about what no grammar keeps to: looking around, references to groups, properties
 * @example parsePattern('^[A-Z]{2}-\\d+$')
 */
export function parsePattern(source: string): Pattern {
  return new PatternReader(source).read()
}

class PatternReader {
  readonly #points: readonly string[]
  #at = 0
  #depth = 0

  constructor(source: string) {
    this.#points = Array.from(source)
    if (this.#points.length > most.characters)
      throw new PatternError(`it has ${this.#points.length} characters, ${most.characters} allowed`)
  }

  read(): Pattern {
    const parts = [this.#anchored()]
    while (this.#take('|')) parts.push(this.#anchored())
    if (this.#at < this.#points.length) throw new PatternError(`${this.#here()} closes no group`)
    return choice(parts)
  }

  /** One alternative of the whole expression: only these have anchors. */
  #anchored(): Pattern {
    const parts: Pattern[] = []
    if (!this.#take('^')) parts.push(anything)
    parts.push(this.#sequence())
    if (this.#take('$')) {
      if (!this.#isOver('|')) throw new PatternError(`"$" is followed by ${this.#here()}`)
    } else parts.push(anything)
    return sequence(parts)
  }

  #sequence(): Pattern {
    const parts: Pattern[] = []
    while (!this.#isOver('|', ')', '$')) parts.push(this.#repeated())
    return sequence(parts)
  }

  #isOver(...ends: readonly string[]): boolean {
    const next = this.#points[this.#at]
    return next === undefined || ends.includes(next)
  }

  #repeated(): Pattern {
    const part = this.#single()
    const count = this.#count()
    if (count === undefined) return part
    // Lazy ones match the same texts.
    this.#take('?')
    if (this.#count() !== undefined) throw new PatternError('a repetition is repeated')
    const [least, mostTimes] = count
    if (mostTimes === undefined && lengthsOf(part).least === 0)
      throw new PatternError('something that may be empty is repeated without bound')
    return { kind: 'repeat', part, least, most: mostTimes }
  }

  #count(): readonly [number, number | undefined] | undefined {
    if (this.#take('*')) return [0, undefined]
    if (this.#take('+')) return [1, undefined]
    if (this.#take('?')) return [0, 1]
    const bounds = /^\{(\d+)(,(\d+)?)?\}/.exec(this.#points.slice(this.#at).join(''))
    if (bounds === null) return undefined
    this.#at += bounds[0].length
    const least = Number(bounds[1])
    const mostTimes = bounds[2] === undefined ? least : bounds[3] === undefined ? undefined : Number(bounds[3])
    const largest = Math.max(least, mostTimes ?? 0)
    if (largest > most.count) throw new PatternError(`something is repeated ${largest} times, ${most.count} allowed`)
    if (mostTimes !== undefined && mostTimes < least) throw new PatternError(`${bounds[0]} ends before it begins`)
    return [least, mostTimes]
  }

  #single(): Pattern {
    const next = this.#next()
    switch (next) {
      case '(':
        return this.#group()
      case '[':
        return { kind: 'character', set: this.#class() }
      case '.':
        return { kind: 'character', set: without(anyCharacter, lineEnds) }
      case '\\':
        return { kind: 'character', set: this.#escape() }
      case '^':
        throw new PatternError('"^" stands behind the beginning')
      case '*':
      case '+':
      case '?':
        throw new PatternError(`there is nothing that "${next}" could repeat`)
      default:
        return { kind: 'character', set: point(next) }
    }
  }

  #group(): Pattern {
    if (this.#take('?') && !this.#take(':')) {
      const name = /^<[A-Za-z_$][\w$]*>/.exec(this.#points.slice(this.#at, this.#at + 200).join(''))
      if (name === null) throw new PatternError('it looks around, or changes its mode, in a group')
      this.#at += name[0].length
    }
    if (++this.#depth > most.depth) throw new PatternError(`groups nest deeper than ${most.depth}`)
    const parts = [this.#sequence()]
    while (this.#take('|')) parts.push(this.#sequence())
    if (this.#points[this.#at] === '$') throw new PatternError('"$" stands before the end')
    if (!this.#take(')')) throw new PatternError('a group is not closed')
    this.#depth--
    return choice(parts)
  }

  #class(): CharacterSet {
    const negated = this.#take('^')
    const sets: CharacterSet[] = []
    while (!this.#take(']')) {
      const first = this.#classMember()
      const [low] = first
      if (this.#points[this.#at] === '-' && this.#points[this.#at + 1] !== ']' && isSingle(first)) {
        this.#at++
        const last = this.#classMember()
        if (!isSingle(last) || low === undefined || (last[0]?.[0] ?? 0) < low[0])
          throw new PatternError('a range in a class has no end, or ends before it begins')
        sets.push([[low[0], last[0]?.[0] ?? 0]])
      } else sets.push(first)
    }
    const set = union(sets)
    return negated ? without(anyCharacter, set) : set
  }

  #classMember(): CharacterSet {
    const next = this.#next()
    if (next !== '\\') return point(next)
    if (this.#take('b')) return [[8, 8]]
    return this.#escape()
  }

  #escape(): CharacterSet {
    const next = this.#next()
    const known = classes[next]
    if (known !== undefined) return known
    const control = controls[next]
    if (control !== undefined && !(next === '0' && /\d/.test(this.#points[this.#at] ?? ''))) return [[control, control]]
    const hex = { x: /^[0-9a-fA-F]{2}/, u: /^[0-9a-fA-F]{4}|^\{[0-9a-fA-F]{1,6}\}/ }[next]
    if (hex !== undefined) {
      const digits = hex.exec(this.#points.slice(this.#at, this.#at + 8).join(''))?.[0]
      const value = Number.parseInt(digits?.replace(/[{}]/g, '') ?? '', 16)
      if (digits === undefined || !(value <= 0x10ffff)) throw new PatternError(`"\\${next}" names no character`)
      if (value >= 0xd800 && value < 0xe000) throw new PatternError(`"\\${next}${digits}" is half a character`)
      this.#at += digits.length
      return [[value, value]]
    }
    if (/[\dA-Za-z]/.test(next)) throw new PatternError(`"\\${next}" cannot be kept to`)
    return point(next)
  }

  #take(wanted: string): boolean {
    if (this.#points[this.#at] !== wanted) return false
    this.#at++
    return true
  }

  #next(): string {
    const next = this.#points[this.#at++]
    if (next === undefined) throw new PatternError('it ends too early')
    return next
  }

  #here(): string {
    return JSON.stringify(this.#points[this.#at] ?? '')
  }
}

/** Shortest and longest text of an expression, in characters; no longest where it has no bound. */
export function lengthsOf(pattern: Pattern): { readonly least: number; readonly most: number } {
  switch (pattern.kind) {
    case 'character':
      return { least: 1, most: 1 }
    case 'sequence': {
      const parts = pattern.parts.map(lengthsOf)
      return {
        least: parts.reduce((sum, { least }) => sum + least, 0),
        most: parts.reduce((sum, { most: longest }) => sum + longest, 0),
      }
    }
    case 'choice': {
      const parts = pattern.parts.map(lengthsOf)
      return {
        least: Math.min(...parts.map(({ least }) => least)),
        most: Math.max(...parts.map(({ most: longest }) => longest)),
      }
    }
    case 'repeat':
    default: {
      const part = lengthsOf(pattern.part)
      const times = pattern.most ?? Infinity
      return { least: part.least * pattern.least, most: part.most === 0 || times === 0 ? 0 : part.most * times }
    }
  }
}

/** Characters of an expression once its repetitions are written out. */
export function sizeOf(pattern: Pattern): number {
  switch (pattern.kind) {
    case 'character':
      return 1
    case 'sequence':
    case 'choice':
      return pattern.parts.reduce((sum, part) => sum + sizeOf(part), 1)
    case 'repeat':
    default:
      return sizeOf(pattern.part) * Math.max(1, pattern.least, pattern.most ?? 0)
  }
}

function isSingle(set: CharacterSet): boolean {
  return set.length === 1 && set[0]?.[0] === set[0]?.[1]
}

function point(character: string): CharacterSet {
  const value = character.codePointAt(0) ?? 0
  return [[value, value]]
}

function choice(parts: readonly Pattern[]): Pattern {
  return parts.length === 1 ? (parts[0] ?? anything) : { kind: 'choice', parts }
}

function sequence(parts: readonly Pattern[]): Pattern {
  return parts.length === 1 ? (parts[0] ?? anything) : { kind: 'sequence', parts }
}
