import type { Emulator } from 'incipit/emulate'
import { startEmulator } from 'incipit/emulate'
import type { ServerProcess } from '../../../benchmarks/support/server-process.ts'
import { startGateway } from '../gateway.ts'
import { uniqueText } from '../prompts.ts'

/** A gateway before two emulated providers and the demo model, with some traffic behind it. */
export interface World {
  readonly gateway: ServerProcess
  readonly openai: Emulator
  /** The request of which all attempts failed. */
  readonly failedId: string
  stop(): Promise<void>
}

/** A name of a model as an attacker would choose it. */
export const hostileModel = 'gpt-<img src=x onerror="document.title=`taken`">'

/**
 * Starts all of it: of Anthropic one written and one read prompt, of OpenAI a cold and a warm one, one that fails in
 * every attempt and one with a hostile name; of the demo model thirty.
 */
export async function startWorld(config = ''): Promise<World> {
  const [anthropic, openai] = await Promise.all([
    startEmulator({ kind: 'anthropic' }),
    startEmulator({ kind: 'openai' }),
  ])
  const gateway = await startGateway(
    [
      { name: 'claude', url: anthropic.url, settings: 'kind: anthropic, api_key: sk-a, models: ["claude-*"]' },
      { name: 'oa', url: openai.url, settings: 'kind: openai, api_key: sk-b, models: ["gpt-*"]' },
    ],
    { engine: true, config },
  )
  const failedId = await sendTraffic(gateway.url, openai)
  const stop = async (): Promise<void> => {
    await gateway.stop()
    await Promise.all([anthropic.close(), openai.close()])
  }
  return { gateway, openai, failedId, stop }
}

async function sendTraffic(url: string, openai: Emulator): Promise<string> {
  const system = uniqueText(1_500)
  for (const question of ['First?', 'Second?']) {
    await claude(url, system, question)
    await chat(url, { model: 'gpt-4o', messages: conversation(system, question) })
  }
  await chat(url, { model: hostileModel, messages: conversation(system, 'Who are you?') })
  for (let turn = 1; turn <= 30; turn++) {
    await chat(url, { model: 'demo', max_tokens: 2, messages: conversation('You are kind and brief.', `Turn ${turn}`) })
  }
  openai.fault({ status: 500, times: 10 })
  const failed = await chat(url, { model: 'gpt-4o', messages: conversation(system, 'Are you there?') })
  openai.reset()
  return failed.headers.get('x-incipit-request-id') ?? ''
}

/** Sends a prompt in OpenAI's dialect and reads the answer to its end. */
export async function chat(url: string, body: unknown): Promise<Response> {
  return sent(`${url}/v1/chat/completions`, body, {})
}

async function claude(url: string, system: string, question: string): Promise<Response> {
  const body = {
    model: 'claude-sonnet-4-5',
    max_tokens: 20,
    system: [{ type: 'text', text: system, cache_control: { type: 'ephemeral' } }],
    messages: [{ role: 'user', content: question }],
  }
  return sent(`${url}/v1/messages`, body, { 'anthropic-version': '2023-06-01' })
}

async function sent(url: string, body: unknown, headers: Record<string, string>): Promise<Response> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  await answer.arrayBuffer()
  return answer
}

function conversation(system: string, question: string): readonly { role: string; content: string }[] {
  return [
    { role: 'system', content: system },
    { role: 'user', content: question },
  ]
}
