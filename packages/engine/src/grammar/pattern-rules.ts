import { characterIn } from './character-set.ts'
import type { GrammarRules } from './gbnf.ts'
import { lengthsOf, PatternError, sizeOf } from './pattern.ts'
import type { Pattern } from './pattern.ts'

/** Characters that an expression may have once its repetitions are written out. */
const mostSize = 2_000
/** How often something that may be empty may be repeated: each time it can be skipped in one more way. */
const mostEmpty = 16

/**
 * GBNF for the texts of a regular expression, as they stand inside a JSON string.
 * @throws PatternError where it is too large, or no text matches
 * @example patternBody(rules, parsePattern('^a+$')) // '[a]+'
 */
export function patternBody(rules: GrammarRules, pattern: Pattern): string {
  const size = sizeOf(pattern)
  if (size > mostSize)
    throw new PatternError(`it is ${size} characters with repetitions written out, ${mostSize} allowed`)
  return body(rules, pattern)
}

function body(rules: GrammarRules, pattern: Pattern): string {
  switch (pattern.kind) {
    case 'character': {
      const characters = characterIn(pattern.set)
      if (characters === undefined) throw new PatternError('a class has no characters')
      return characters
    }
    case 'sequence': {
      const parts = pattern.parts.map((part) => body(rules, part)).filter((part) => part !== '""')
      return parts.length === 0 ? '""' : parts.join(' ')
    }
    case 'choice':
      return `(${pattern.parts.map((part) => body(rules, part)).join(' | ')})`
    case 'repeat':
    default:
      return repeat(rules, pattern)
  }
}

function repeat(rules: GrammarRules, { part, least, most }: Extract<Pattern, { kind: 'repeat' }>): string {
  if (most === 0) return '""'
  if ((most ?? 0) > mostEmpty && lengthsOf(part).least === 0)
    throw new PatternError(`something that may be empty is repeated ${most} times, ${mostEmpty} allowed`)
  const whole = body(rules, part)
  if (whole === '""') return whole
  // Repetitions are written out by llama.cpp: what is repeated is better short.
  const item = whole.length > 40 ? rules.add('part', whole) : part.kind === 'sequence' ? `(${whole})` : whole
  if (most === undefined) return least === 0 ? `${item}*` : least === 1 ? `${item}+` : `${item}{${least},}`
  return least === 0 && most === 1 ? `(${item})?` : `${item}{${least},${most}}`
}
