// The OpenAI SDK against the gateway: Chat, a stream, a tool and Responses. Whatever serves the model, the same opening
// is read from its cache the second time. INCIPIT_MODEL=gpt-5.6-sol asks an upstream instead of the demo model.
import OpenAI, { APIConnectionError } from 'openai'

const url = process.env.INCIPIT_URL ?? 'http://127.0.0.1:4141'
const model = process.env.INCIPIT_MODEL ?? 'demo'
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: process.env.INCIPIT_KEY ?? 'unused' })
// What differs stands first, so that every run begins cold. Long, because providers keep nothing below 1,024 tokens.
const run = crypto.randomUUID()
const system = `Run ${run}. ${'You are a helpful assistant. You answer in one sentence and never guess. '.repeat(100)}`
const headers = { 'x-session-affinity': `example-openai-${run}` }
const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}

try {
  const conversation = [{ role: 'system', content: system }]
  await chat('chat, cold  ', conversation, 'What is prefix caching?')
  await chat('chat, warm  ', conversation, 'Why does it matter?')
  await stream('chat, stream', conversation, 'What is an incipit?')
  await tools('tools       ')
  const items = []
  await respond('responses   ', items, 'Where does a prefix end?')
  await respond('responses   ', items, 'And where does it begin?')
} catch (error) {
  const unreachable = error instanceof APIConnectionError
  console.error(unreachable ? `no answer from ${url}: is the gateway running? (npm start)` : error.message)
  process.exitCode = 1
}

/** A conversation grows, and its opening stays: that is what caches are for. */
async function chat(label, conversation, question) {
  conversation.push({ role: 'user', content: question })
  const { data, response } = await client.chat.completions
    .create({ model, messages: conversation, max_completion_tokens: 16 }, { headers })
    .withResponse()
  conversation.push({ role: 'assistant', content: data.choices[0].message.content })
  report(label, data.usage, response.headers.get('x-incipit-route'))
}

async function stream(label, conversation, question) {
  const messages = [...conversation, { role: 'user', content: question }]
  const chunks = await client.chat.completions.create(
    { model, messages, max_completion_tokens: 16, stream: true, stream_options: { include_usage: true } },
    { headers },
  )
  let usage
  for await (const chunk of chunks) usage = chunk.usage ?? usage
  report(label, usage)
}

/** A call, its result, the answer. The demo model's weights are random: it calls nothing, so its call is written here. */
async function tools(label) {
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: 'How is the weather in Bern?' },
  ]
  const first = await client.chat.completions.create(
    { model, messages, tools: [weather], max_completion_tokens: 64 },
    { headers },
  )
  const { tool_calls: made } = first.choices[0].message
  const calls = made ?? [
    { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city": "Bern"}' } },
  ]
  const results = calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: '20 degrees, no clouds' }))
  const second = await client.chat.completions.create(
    {
      model,
      messages: [...messages, { role: 'assistant', content: null, tool_calls: calls }, ...results],
      tools: [weather],
      max_completion_tokens: 16,
    },
    { headers },
  )
  report(label, second.usage, made === undefined ? 'call written by the example' : 'call made by the model')
}

async function respond(label, items, question) {
  items.push({ role: 'user', content: question })
  const { output_text, usage } = await client.responses.create(
    { model, instructions: system, input: items, max_output_tokens: 16, store: false },
    { headers },
  )
  items.push({ role: 'assistant', content: output_text })
  const { input_tokens: prompt_tokens, input_tokens_details: prompt_tokens_details } = usage ?? {}
  report(label, { prompt_tokens, prompt_tokens_details })
}

function report(label, usage, more) {
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? 'not reported'
  console.log(`${label} ${usage?.prompt_tokens} prompt tokens, ${cached} cached${more ? ` (${more})` : ''}`)
}
