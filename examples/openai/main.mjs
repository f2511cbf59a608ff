// The OpenAI SDK against the gateway: the second question reuses the first one's prefix.
import OpenAI, { APIConnectionError } from 'openai'

const url = process.env.INCIPIT_URL ?? 'http://127.0.0.1:4141'
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: process.env.INCIPIT_KEY ?? 'unused' })
const system = 'You are a helpful assistant. You answer in one sentence and never guess. '.repeat(20)

try {
  for (const question of ['What is prefix caching?', 'Why does it matter?']) await ask(question)
} catch (error) {
  const unreachable = error instanceof APIConnectionError
  console.error(unreachable ? `no answer from ${url}: is the gateway running? (npm start)` : error.message)
  process.exitCode = 1
}

async function ask(question) {
  const begun = performance.now()
  const { usage } = await client.chat.completions.create(
    {
      model: 'demo',
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: question },
      ],
      max_tokens: 1,
    },
    { headers: { 'x-session-affinity': 'example-openai' } },
  )
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? 'not reported'
  console.log(
    `${question} ${usage?.prompt_tokens} prompt tokens, ${cached} cached, ${Math.round(performance.now() - begun)} ms`,
  )
}
