import Anthropic from '@anthropic-ai/sdk'
import { readFileSync } from 'node:fs'
import OpenAI from 'openai'
import { chatAnswer, messagesAnswer, responsesAnswer } from './recording-upstream.ts'

/** One of the dialects clients speak: where, with which body, and how its official client reads a stream. */
export interface Spoken {
  readonly name: 'openai-chat' | 'openai-responses' | 'anthropic-messages'
  readonly path: string
  /** A body that asks for a stream, or not. */
  readonly body: (model: string, stream: boolean, more?: Readonly<Record<string, unknown>>) => Record<string, unknown>
  /** A transcript of a complete stream. */
  readonly transcript: Buffer
  /** A short whole answer. */
  readonly whole: unknown
  /** In the terminal event. */
  readonly terminal: string
  /** Where the upstream's stream has given content and usage as far as it gives it early. */
  readonly cut: number
  /** Reads a stream to its end with the official client. @throws what that client throws */
  readonly readWithSdk: (url: string, model: string) => Promise<string>
}

const transcriptOf = (path: string): Buffer => readFileSync(new URL(`../../fixtures/${path}`, import.meta.url))

const chatTranscript = transcriptOf('openai-chat/include-usage.sse')
const responsesTranscript = transcriptOf('openai-responses/reasoning.sse')
const messagesTranscript = transcriptOf('quirks/anthropic-messages/split-usage.sse')
const question = 'Hello?'

export const chat: Spoken = {
  name: 'openai-chat',
  path: '/v1/chat/completions',
  body: (model, stream, more = {}) => ({ model, messages: [{ role: 'user', content: question }], stream, ...more }),
  transcript: chatTranscript,
  whole: chatAnswer,
  terminal: 'data: [DONE]',
  cut: chatTranscript.indexOf('"finish_reason":"'),
  readWithSdk: async (url, model) => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 })
    let text = ''
    const messages = [{ role: 'user', content: question }] as const
    for await (const chunk of await client.chat.completions.create({ model, messages: [...messages], stream: true })) {
      text += chunk.choices[0]?.delta.content ?? ''
    }
    return text
  },
}

export const responses: Spoken = {
  name: 'openai-responses',
  path: '/v1/responses',
  body: (model, stream, more = {}) => ({ model, input: question, stream, ...more }),
  transcript: responsesTranscript,
  whole: responsesAnswer,
  terminal: 'event: response.completed',
  cut: responsesTranscript.indexOf('event: response.completed') - 20,
  readWithSdk: async (url, model) => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 })
    let text = ''
    for await (const event of await client.responses.create({ model, input: question, stream: true })) {
      if (event.type === 'response.output_text.delta') text += event.delta
    }
    return text
  },
}

export const messages: Spoken = {
  name: 'anthropic-messages',
  path: '/v1/messages',
  body: (model, stream, more = {}) => ({
    model,
    max_tokens: 64,
    messages: [{ role: 'user', content: question }],
    stream,
    ...more,
  }),
  transcript: messagesTranscript,
  whole: messagesAnswer,
  terminal: 'event: message_stop',
  cut: messagesTranscript.indexOf('"input_json_delta"'),
  readWithSdk: async (url, model) => {
    const client = new Anthropic({ baseURL: url, apiKey: 'unused', maxRetries: 0 })
    let text = ''
    const messages = [{ role: 'user', content: question }] as const
    for await (const event of await client.messages.create({
      model,
      max_tokens: 64,
      messages: [...messages],
      stream: true,
    })) {
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text
    }
    return text
  },
}

export const spoken: readonly Spoken[] = [chat, responses, messages]
