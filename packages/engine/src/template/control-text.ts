/**
 * Keeps text of clients apart from text of the template: only the template may make control tokens.
 * A control token's spelling inside a message is broken by a mark before rendering, so that the
 * rendered text holds whole spellings only where the template wrote them; the mark is taken out again
 * before tokenisation. The mark is the same in every request and escaped where a client wrote it: how a
 * text is disarmed depends on nothing but the text, and makes it at most twice as long.
 */
export interface ControlText {
  /** Breaks the spellings in a text of a client. */
  readonly disarm: (text: string) => string
  /** Cuts rendered text at its control tokens; text pieces come without marks. */
  readonly split: (rendered: string) => (string | number)[]
}

/** Noncharacters: no template has a use for them. One unit each, so that no template can cut the mark in two. */
const mark = '\uFDD0'
const escape = '\uFDD1'
const escapedMark = '\uFDD2'

/** @example controlText(spellingPattern(new Map([['<|im_end|>', 2]]))).split('a<|im_end|>') // ['a', 2] */
export function controlText(spellings: SpellingPattern): ControlText {
  return {
    disarm: (text) => {
      const escaped = /[\uFDD0\uFDD1]/.test(text)
        ? text.replaceAll(/[\uFDD0\uFDD1]/g, (unit) => escape + (unit === mark ? escapedMark : escape))
        : text
      const broken = escaped.replace(spellings.beginning, (unit) => unit + mark)
      return spellings.begunAtEnd(escaped) ? broken + mark : broken
    },
    split: (rendered) => split(rendered, spellings),
  }
}

/** The control tokens of a model, ready to be looked for. */
export interface SpellingPattern {
  readonly pattern: RegExp
  /** The first unit of every spelling, also of those that overlap. */
  readonly beginning: RegExp
  readonly ids: ReadonlyMap<string, number>
  /** Whether the end of a text is the beginning of a spelling, which the next text could complete. */
  begunAtEnd(text: string): boolean
}

/** @example spellingPattern(model.controlTokens) */
export function spellingPattern(ids: ReadonlyMap<string, number>): SpellingPattern {
  // Longest first, as the tokenizer itself would match them. A one-character spelling cannot be broken.
  const spellings = [...ids.keys()].filter((spelling) => spelling.length > 1)
  spellings.sort((left, right) => right.length - left.length)
  const source = spellings.map((spelling) => spelling.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|')
  const begun = new Set(
    spellings.flatMap((spelling) =>
      Array.from({ length: spelling.length - 1 }, (_, index) => spelling.slice(0, index + 1)),
    ),
  )
  const longest = (spellings[0]?.length ?? 1) - 1
  return {
    pattern: new RegExp(source === '' ? '(?!)' : source, 'g'),
    beginning: new RegExp(source === '' ? '(?!)' : `(?=${source})[^]`, 'g'),
    ids,
    begunAtEnd: (text) => {
      for (let length = Math.min(longest, text.length); length > 0; length--) {
        if (begun.has(text.slice(-length))) return true
      }
      return false
    },
  }
}

function split(rendered: string, spellings: SpellingPattern): (string | number)[] {
  const pieces: (string | number)[] = []
  const pushText = (text: string): void => {
    if (text !== '') pieces.push(unmarked(text))
  }
  let end = 0
  for (const match of rendered.matchAll(spellings.pattern)) {
    pushText(rendered.slice(end, match.index))
    pieces.push(spellings.ids.get(match[0]) as number)
    end = match.index + match[0].length
  }
  pushText(rendered.slice(end))
  return pieces
}

function unmarked(text: string): string {
  if (!/[\uFDD0\uFDD1]/.test(text)) return text
  // Read from the left, an escape takes the unit behind it along: marks that a client wrote come back.
  return text.replaceAll(/\uFDD0|\uFDD1[\uFDD1\uFDD2]/g, (found) => {
    if (found === mark) return ''
    return found.endsWith(escapedMark) ? mark : escape
  })
}
