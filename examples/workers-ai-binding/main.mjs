// What a Worker does with env.AI, against the gateway: a whole answer, cold, then the same as a stream, warm.
import { createAiBinding } from 'incipit/workers-ai'

const AI = createAiBinding({
  baseUrl: process.env.INCIPIT_URL ?? 'http://127.0.0.1:4141',
  accountId: 'local',
  apiToken: process.env.INCIPIT_KEY ?? 'unused',
})
const model = '@cf/moonshotai/kimi-k2.5'
const options = { headers: { 'x-session-affinity': 'ses_12345678' } }
// What differs stands first, so that the first call of every run is cold.
const system = `Run ${crypto.randomUUID()}. You are a helpful assistant. ${'You answer in one sentence. '.repeat(20)}`
const messages = [
  { role: 'system', content: system },
  { role: 'user', content: 'Explain prefix caching.' },
]

try {
  const { usage } = await AI.run(model, { messages, max_tokens: 8 }, options)
  console.log(`whole:  ${described(usage)}`)
  const stream = await AI.run(model, { messages, max_tokens: 8, stream: true }, options)
  console.log(`stream: ${described(await usageOf(stream))}`)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

/** The last event before [DONE] carries the usage. */
async function usageOf(stream) {
  const events = (await new Response(stream).text()).split('\n\n').filter((event) => event.startsWith('data: {'))
  return events.map((event) => JSON.parse(event.slice('data: '.length)).usage).findLast((usage) => usage !== undefined)
}

function described(usage) {
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? 'not reported'
  return `${usage?.prompt_tokens} prompt tokens, ${cached} cached`
}
