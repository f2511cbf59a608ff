import type { Conversation } from './conversation.ts'
import { drawRequest } from './requests.ts'
import { SeededDraw } from './seeded-draw.ts'
import { send } from './send.ts'
import { systems } from './worker.ts'

/**
 * Asks some questions behind what is cached, and again without the cache: the answers must be the same.
 * @returns what is different; empty = nothing
 */
export async function isExact(url: string, models: readonly string[]): Promise<string[]> {
  const wrong: string[] = []
  const draw = new SeededDraw(99)
  let cached = 0
  for (const model of models) {
    for (const system of systems) {
      const speaker = { key: 'soak-key-one', isolation: undefined }
      const turns = [{ role: 'user' as const, text: draw.words(30) }]
      const conversation: Conversation = { model, speaker, system, turns }
      const request = drawRequest(new SeededDraw(7), 'talk', conversation)
      const body = { ...request.body, temperature: 0 }
      const warm = await send(url, { ...request, body })
      const cold = await send(url, {
        ...request,
        body,
        headers: { ...request.headers, 'x-incipit-prefix-cache': 'off' },
      })
      if (warm.kind !== 'answered' || cold.kind !== 'answered')
        wrong.push(`${model}: a question at the end was not answered`)
      else if (warm.text !== cold.text) wrong.push(`${model}: warm "${warm.text}", cold "${cold.text}"`)
      if (warm.kind === 'answered') cached += warm.tokens?.cached ?? 0
    }
  }
  if (cached === 0) wrong.push('nothing was cached in the end: warm answers were not compared')
  return wrong
}
