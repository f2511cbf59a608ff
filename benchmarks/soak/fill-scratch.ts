import { SeededDraw } from './seeded-draw.ts'

/**
 * Sends each model the longest prompt and the longest input to embed that it takes, so that all memory it works in has
 * been touched: it is there from the start, but counts as resident from its first use on.
 * @throws Error where a model takes nothing
 */
export async function fillScratch(url: string, key: string, models: readonly string[]): Promise<void> {
  const text = new SeededDraw(5).words(longest)
  for (const model of models) {
    await shorten(text, (content) =>
      post(`${url}/v1/chat/completions`, key, { model, messages: [{ role: 'user', content }], max_tokens: 1 }),
    )
    await shorten(text, (input) => post(`${url}/v1/embeddings`, key, { model, input }))
  }
}

/** Words of a token or two. */
const longest = 16_000

/** Sends less and less of a text until it is taken. */
async function shorten(text: string, send: (text: string) => Promise<number>): Promise<void> {
  const words = text.split(' ')
  for (let count = words.length; count >= 1_000; count = Math.floor(0.95 * count)) {
    const status = await send(words.slice(0, count).join(' '))
    if (status === 200) return
    if (status !== 400) throw new Error(`a long prompt was answered with ${status}`)
  }
  throw new Error('not even 1,000 words are taken')
}

async function post(url: string, key: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  await answer.arrayBuffer()
  return answer.status
}
