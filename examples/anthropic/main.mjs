// The Anthropic SDK against the gateway: a marked prompt twice, a stream, a tool, the count of tokens.
// INCIPIT_MODEL=claude-opus-5 asks an upstream instead of the demo model.
import Anthropic, { APIConnectionError, NotFoundError } from '@anthropic-ai/sdk'

const url = process.env.INCIPIT_URL ?? 'http://127.0.0.1:4141'
const model = process.env.INCIPIT_MODEL ?? 'demo'
// Without /v1: this SDK appends /v1/messages itself.
const client = new Anthropic({ baseURL: url, apiKey: process.env.INCIPIT_KEY ?? 'unused' })
// What differs stands first, so that every run begins cold. Long, because providers keep nothing below 512 tokens or more.
const run = crypto.randomUUID()
const system = [
  {
    type: 'text',
    text: `Run ${run}. ${'You are a helpful assistant. You answer in one sentence and never guess. '.repeat(240)}`,
    cache_control: { type: 'ephemeral' },
  },
]
const headers = { 'x-session-affinity': `example-anthropic-${run}` }
const weather = {
  name: 'weather',
  description: 'The weather of a city.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}

try {
  await count('count        ')
  await message('message, cold', 'What is prefix caching?')
  await message('message, warm', 'Why does it matter?')
  await stream('stream       ', 'What is an incipit?')
  await tools('tools        ')
} catch (error) {
  const unreachable = error instanceof APIConnectionError
  console.error(unreachable ? `no answer from ${url}: is the gateway running? (npm start)` : error.message)
  process.exitCode = 1
}

/** Only local models and upstreams of this dialect count. */
async function count(label) {
  const counting = client.messages.countTokens({ model, system, messages: [said('Hello')] })
  const counted = await counting.catch((error) => {
    if (error instanceof NotFoundError) return undefined
    throw error
  })
  console.log(`${label} ${counted === undefined ? 'nobody counts for this model' : `${counted.input_tokens} tokens`}`)
}

async function message(label, question) {
  const { data, response } = await client.messages
    .create({ model, max_tokens: 16, system, messages: [said(question)] }, { headers })
    .withResponse()
  report(label, data.usage, response.headers.get('x-incipit-route'))
}

async function stream(label, question) {
  const answer = client.messages.stream({ model, max_tokens: 16, system, messages: [said(question)] }, { headers })
  let pieces = 0
  answer.on('text', () => void pieces++)
  report(label, (await answer.finalMessage()).usage, `${pieces} pieces`)
}

/** A call, its result, the answer. The demo model's weights are random: it calls nothing, so its call is written here. */
async function tools(label) {
  const question = said('How is the weather in Bern?')
  const ask = (messages) =>
    client.messages.create({ model, max_tokens: 64, system, tools: [weather], messages }, { headers })
  const first = await ask([question])
  const made = first.stop_reason === 'tool_use'
  const content = made ? first.content : [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Bern' } }]
  const results = content
    .filter(({ type }) => type === 'tool_use')
    .map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: '20 degrees, no clouds' }))
  const second = await ask([question, { role: 'assistant', content }, { role: 'user', content: results }])
  report(label, second.usage, made ? 'call made by the model' : 'call written by the example')
}

function said(text) {
  return { role: 'user', content: text }
}

/** Here the three counts are disjoint: together they are the prompt. */
function report(label, usage, more) {
  const { input_tokens: fresh, cache_read_input_tokens: read, cache_creation_input_tokens: written } = usage
  const shown = (tokens) => tokens ?? 'not reported'
  console.log(`${label} ${fresh} fresh, ${shown(read)} read, ${shown(written)} written (${more})`)
}
