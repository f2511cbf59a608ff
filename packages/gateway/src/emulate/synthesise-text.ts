import { digest } from './digest.ts'

const vocabulary =
  'amber anchor basin beacon cedar chapel copper delta ember fable garden harbour island juniper kettle lantern meadow needle orchard paper quarry river saddle timber umbrella valley willow yarrow north silver quiet early open narrow gentle bright'.split(
    ' ',
  )
const wordsPerAnswer = 40
const wordsPerSentence = 8

/**
 * About forty words that follow from the seed alone: equal prompts get equal answers.
 * @example synthesiseText('seed')
 */
export function synthesiseText(seed: string, words: number = wordsPerAnswer): string {
  const sentences: string[] = []
  for (let start = 0; start < words; start += wordsPerSentence) {
    const count = Math.min(wordsPerSentence, words - start)
    sentences.push(sentence(Array.from({ length: count }, (_, index) => wordAt(seed, start + index))))
  }
  return sentences.join(' ')
}

/** The same, exactly so many bytes long. */
export function synthesiseBytes(seed: string, bytes: number): string {
  const once = `${synthesiseText(seed)} `
  return once.repeat(Math.ceil(bytes / once.length)).slice(0, bytes)
}

function sentence(words: readonly string[]): string {
  const text = words.join(' ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function wordAt(seed: string, index: number): string {
  const value = Number.parseInt(digest(seed, String(index)).slice(0, 8), 16)
  return vocabulary[value % vocabulary.length] ?? 'word'
}
