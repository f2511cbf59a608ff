import type { StreamMarks } from '../../domain/dialect.ts'

/**
 * Whether the data of an event carries content. A text that ends in an opening quote means a string with
 * something in it: it does not count where a quote follows at once, as in the chunk that only names the role.
 *
 * @example hasContent(event.data, dialect.streamMarks)
 */
export function hasContent(data: string, marks: StreamMarks): boolean {
  return marks.content.some((text) => {
    for (let at = data.indexOf(text); at !== -1; at = data.indexOf(text, at + 1)) {
      if (!text.endsWith('"') || data[at + text.length] !== '"') return true
    }
    return false
  })
}
