// What a prompt costs by the rules of a provider, without a key and without waiting: the Anthropic SDK against an
// emulator that this program starts itself. No gateway is needed.
import Anthropic from '@anthropic-ai/sdk'
import { startEmulator } from 'incipit/emulate'

const emulator = await startEmulator({ kind: 'anthropic' })
const client = new Anthropic({ baseURL: emulator.url, apiKey: 'test', maxRetries: 0 })
const system = [
  { type: 'text', text: 'Name your sources. '.repeat(200), cache_control: { type: 'ephemeral', ttl: '5m' } },
]

try {
  await ask('cold                 ')
  await ask('at once              ')
  emulator.advance(4 * 60_000)
  await ask('4 minutes later      ') // read, and so it lives another five minutes
  emulator.advance(6 * 60_000)
  await ask('another 6 minutes    ')
  emulator.fault({ status: 529, times: 1 })
  await ask('overloaded           ').catch((error) => console.log(`overloaded            ${error.status}`))
} finally {
  await emulator.close()
}

async function ask(label) {
  const { usage } = await client.messages.create({
    model: 'claude-opus-5',
    max_tokens: 16,
    system,
    messages: [{ role: 'user', content: 'What is an incipit?' }],
  })
  console.log(`${label} ${usage.cache_creation_input_tokens} written, ${usage.cache_read_input_tokens} read`)
}
