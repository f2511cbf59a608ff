import {
  createAnthropicMessages,
  createOpenaiChat,
  epochMs,
  providerPrompt,
  ProviderCache,
  cacheBehaviour,
} from '@incipit/core'
import type { CacheBuckets, Dialect, PrefixEnd, ProviderPrompt } from '@incipit/core'
import * as fc from 'fast-check'
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { lookUp as lookUpAnthropic } from '../packages/gateway/src/emulate/anthropic/prompt-cache.ts'
import { findBreakpoints } from '../packages/gateway/src/emulate/anthropic/find-breakpoints.ts'
import { findModel as anthropicModel } from '../packages/gateway/src/emulate/anthropic/models.ts'
import { promptBlocks } from '../packages/gateway/src/emulate/anthropic/prompt-blocks.ts'
import { chatPrompt } from '../packages/gateway/src/emulate/chat/chat-prompt.ts'
import { promptOptions } from '../packages/gateway/src/emulate/openai/chat.ts'
import { MachineRouter } from '../packages/gateway/src/emulate/openai/machine-router.ts'
import { findModel as openaiModel } from '../packages/gateway/src/emulate/openai/models.ts'
import { lookUp as lookUpOpenai } from '../packages/gateway/src/emulate/openai/prompt-cache.ts'
import { TimedCache } from '../packages/gateway/src/emulate/timed-cache.ts'
import { nodeHasher as hasher } from '../packages/gateway/src/ports/node-hasher.ts'

/**
 * The model of a provider's cache and the emulator of that provider are written apart. Both count the same random
 * conversations here; the emulator's token positions are given to the model, everything else each finds itself.
 */

type Json = Readonly<Record<string, unknown>>
const start = Date.UTC(2026, 10, 20)
const waits = [0, 60_000, 240_000, 299_999, 300_000, 601_000, 1_799_999, 1_800_000, 3_599_999, 3_600_001, 90_000_000]

function read(dialect: Dialect, body: Json): ReturnType<Dialect['read']> {
  return dialect.read(dialect.parse(Buffer.from(JSON.stringify(body)), {}))
}

/** Text of so many tokens by the emulators' count; equal letters are equal texts. */
const text = (letter: string, tokens: number): string => letter.repeat(tokens * 4)

function endsAt(prompt: ProviderPrompt, positions: readonly number[]): PrefixEnd[] {
  expect(prompt.ends.length).toBe(positions.length)
  return prompt.ends.map((end, index) => ({ ...end, tokens: positions[index] ?? 0 }))
}

/**
 * Requests that have much in common: of a conversation the first turns, with few of its other traits changed.
 */
function variantsOf<T extends { readonly turns: readonly unknown[] }>(request: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  const change = fc.record({
    other: request,
    turns: fc.nat(8),
    changed: fc.subarray(['marks', 'automatic', 'choice', 'effort', 'mode', 'life', 'key', 'system', 'model'], {
      maxLength: 2,
    }),
  })
  return fc.tuple(request, fc.array(change, { minLength: 2, maxLength: 10 })).map(([base, changes]) =>
    changes.map(({ other, turns, changed }) => {
      const taken = changed.filter((name) => name in other).map((name) => [name, other[name as keyof T]])
      const { length } = base.turns
      const variant = { ...base, ...Object.fromEntries(taken), turns: base.turns.slice(0, length - (turns % length)) }
      return { ...variant, wait: (other as { wait?: number }).wait } as T // the traits of T, from two of its values
    }),
  )
}

const letters = fc.constantFrom('a', 'b', 'c')
const size = fc.constantFrom(40, 300, 600)
const ttl = fc.constantFrom('5m', '1h', undefined)

const block = fc.record({ letter: letters, tokens: size })
const anthropicRequest = fc.record({
  model: fc.constantFrom('claude-opus-4-1', 'claude-opus-5', 'claude-haiku-4-5'),
  tools: fc.array(letters, { maxLength: 2 }),
  system: fc.array(block, { maxLength: 2 }),
  turns: fc.array(fc.array(block, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 7 }),
  marks: fc.array(fc.record({ at: fc.nat(40), ttl }), { maxLength: 4 }),
  automatic: fc.option(ttl, { nil: 'none' as const }),
  choice: fc.constantFrom({ type: 'auto' }, { type: 'none' }),
  effort: fc.constantFrom('high', 'low'),
  wait: fc.constantFrom(...waits),
})

function anthropicBody(request: typeof anthropicRequest extends fc.Arbitrary<infer T> ? T : never): Json {
  const places: { cache_control?: Json }[] = []
  const place = <T extends object>(value: T): T => {
    places.push(value)
    return value
  }
  const tools = request.tools.map((letter, index) =>
    place({ name: `${letter}${index}`, description: text(letter, 100), input_schema: { type: 'object' } }),
  )
  const part = ({ letter, tokens }: { letter: string; tokens: number }): Json =>
    place({ type: 'text', text: text(letter, tokens) })
  const system = request.system.map(part)
  const messages = request.turns.map((blocks, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: blocks.map(part),
  }))
  for (const { at, ttl: life } of request.marks) {
    const target = places[at % places.length]
    if (target !== undefined) target.cache_control = { type: 'ephemeral', ...(life === undefined ? {} : { ttl: life }) }
  }
  const automatic = request.automatic === 'none' ? {} : { cache_control: { type: 'ephemeral', ttl: request.automatic } }
  const { model, choice, effort } = request
  const rest = { tool_choice: choice, output_config: { effort }, max_tokens: 1, ...automatic }
  return JSON.parse(JSON.stringify({ model, tools, system, messages, ...rest })) as Json
}

test('P-1 the model of the cache and the Anthropic emulator count random conversations alike', () => {
  let warm = 0
  let refused = 0
  fc.assert(
    fc.property(variantsOf(anthropicRequest), (requests) => {
      const cache = new ProviderCache()
      const emulated = new TimedCache()
      let at = start
      for (const request of requests) {
        at += request.wait
        const body = anthropicBody(request)
        const model = anthropicModel(request.model)
        if (model === undefined) throw new Error('no such model')
        const blocks = promptBlocks(body, model, { key: 'k', org: 'o', workspace: 'w' } as never)
        const theirs = attempt(() => {
          const breakpoints = findBreakpoints(body, blocks)
          const answer = lookUpAnthropic(emulated, { blocks, breakpoints, model, scope: 'o', now: at })
          answer.commit()
          return answer.usage
        })
        const ours = attempt(() => {
          const prompt = providerPrompt(read(createAnthropicMessages(), body), { provider: 'anthropic', hasher })
          const ends = endsAt(
            prompt,
            blocks.map(({ end }) => end),
          )
          const question = { scope: 'o', tokens: blocks.at(-1)?.end ?? 0, ends, at: epochMs(at) }
          return cache.lookUp(question, cacheBehaviour('anthropic', request.model, epochMs(at))).settle()
        })
        expect(ours).toEqual(theirs)
        if (theirs === undefined) refused++
        else if (theirs.read > 0) warm++
      }
    }),
    { numRuns: 200 },
  )
  expect(warm).toBeGreaterThan(20)
  expect(refused).toBeGreaterThan(10)
})

const part = fc.record({ letter: letters, tokens: size, mark: fc.boolean() })
const openaiRequest = fc.record({
  model: fc.constantFrom('gpt-4o', 'gpt-5.5', 'gpt-5.6-sol', 'gpt-6.1-terra'),
  key: fc.constantFrom(undefined, 'k'),
  effort: fc.constantFrom(undefined, 'low'),
  tools: fc.array(letters, { maxLength: 1 }),
  turns: fc.array(
    fc.record({ role: fc.constantFrom('user', 'assistant'), parts: fc.array(part, { minLength: 1, maxLength: 4 }) }),
    { minLength: 1, maxLength: 8 },
  ),
  developers: fc.array(part, { maxLength: 2 }),
  mode: fc.constantFrom(undefined, 'implicit', 'explicit'),
  life: fc.constantFrom(undefined, 'long'),
  wait: fc.constantFrom(...waits),
})

function openaiBody(request: typeof openaiRequest extends fc.Arbitrary<infer T> ? T : never): Json {
  const explicit = openaiModel(request.model)?.caching === 'explicit'
  const content = (parts: readonly { letter: string; tokens: number; mark: boolean }[]): Json[] =>
    parts.map(({ letter, tokens, mark }) => ({
      type: 'text',
      text: text(letter, tokens),
      ...(mark && explicit ? { prompt_cache_breakpoint: { mode: 'explicit' } } : {}),
    }))
  const developers = request.developers.map((one) => ({ role: 'developer', content: content([one]) }))
  const messages = [
    ...developers,
    ...request.turns.map(({ role, parts }) => ({
      role,
      content: content(parts.map((one) => ({ ...one, mark: one.mark && role === 'user' }))),
    })),
  ]
  const tools = request.tools.map((letter) => ({
    type: 'function',
    function: { name: letter, description: text(letter, 100), parameters: { type: 'object' } },
  }))
  const ttl = request.life !== undefined && request.model === 'gpt-6.1-terra' ? '12h' : undefined
  const controls = explicit
    ? { prompt_cache_options: { mode: request.mode, ttl } }
    : { prompt_cache_retention: request.life === undefined || request.model === 'gpt-5.5' ? '24h' : 'in_memory' }
  const { model, key, effort } = request
  const body = { model, messages, tools, prompt_cache_key: key, reasoning_effort: effort, ...controls }
  return JSON.parse(JSON.stringify(body)) as Json
}

/** Ends of the blocks by the emulators' count, found a second time from the body. */
function openaiPositions(body: Json): number[] {
  const only = (messages: readonly Json[]): number => chatPrompt({ ...body, messages }, promptOptions).sequence.length
  const tools = body['tools'] as readonly Json[]
  const messages = body['messages'] as readonly { readonly role: string; readonly content: readonly Json[] }[]
  const afterTools = tools.map(
    (_, index) => chatPrompt({ tools: tools.slice(0, index + 1), messages: [] }, promptOptions).sequence.length,
  )
  return [
    ...afterTools,
    ...messages.flatMap((message, index) =>
      message.content.map((_, at) =>
        only([...messages.slice(0, index), { ...message, content: message.content.slice(0, at + 1) }]),
      ),
    ),
  ]
}

test('P-2 the model of the cache and the OpenAI emulator count random conversations alike', () => {
  let warm = 0
  fc.assert(
    fc.property(variantsOf(openaiRequest), (requests) => {
      const cache = new ProviderCache()
      const ports = { cache: new TimedCache(), router: new MachineRouter(Infinity), options: {} as never }
      let at = start
      for (const request of requests) {
        at += request.wait
        const body = openaiBody(request)
        const model = openaiModel(request.model)
        if (model === undefined) throw new Error('no such model')
        const prompt = chatPrompt(body, promptOptions)
        const switches = ['auto', request.effort ?? '', '']
        const theirs = lookUpOpenai(ports, { body, prompt, model, org: 'o', switches, now: at })
        theirs.commit()
        const own = providerPrompt(read(createOpenaiChat(), body), { provider: 'openai', hasher })
        const behaviour = cacheBehaviour('openai', request.model, epochMs(at))
        const tokens = prompt.sequence.length
        const ends = endsAt(own, openaiPositions(body))
        const stepHashes = stepHashesOf(body, behaviour.stepTokens)
        const question = { ...own, scope: `o${own.seed}`, tokens, ends, stepHashes, at: epochMs(at) }
        const ours = cache.lookUp(question, behaviour).settle()
        expect({ cached: ours.read, written: writtenOf(ours) }).toEqual(theirs.usage)
        if (ours.read > 0) warm++
      }
    }),
    { numRuns: 80 },
  )
  expect(warm).toBeGreaterThan(50)
})

function writtenOf({ write30m, write12h }: CacheBuckets): number | undefined {
  return write30m === undefined && write12h === undefined ? undefined : (write30m ?? 0) + (write12h ?? 0)
}

/** Steps of a prompt as an engine would hash them: here over the letters of the emulators' tokens. */
function stepHashesOf(body: Json, step: number): string[] {
  const tokens: string[] = []
  const push = (label: string, value: string): void => {
    const count = Math.ceil(Buffer.byteLength(value) / 4)
    for (let index = 0; index < count; index++)
      tokens.push(`${index === 0 ? label : ''}${value.slice(index * 4, index * 4 + 4)}`)
  }
  // No step ends within a tool: how many tokens it has is the emulator's to say.
  for (const tool of body['tools'] as readonly Json[]) {
    const { length } = chatPrompt({ tools: [tool], messages: [] }, promptOptions).sequence
    for (let index = 0; index < length; index++) tokens.push(index === 0 ? JSON.stringify(tool) : 'tool')
  }
  for (const message of body['messages'] as readonly { role: string; content: readonly { text: string }[] }[]) {
    push('message', message.role)
    for (const { text: value } of message.content) push('text', value)
  }
  const hashes: string[] = []
  const hash = createHash('sha256')
  for (const [index, token] of tokens.entries()) {
    hash.update(`${token.length}:${token}`)
    if ((index + 1) % step === 0) hashes.push(hash.copy().digest('hex'))
  }
  return hashes
}

function attempt<T>(what: () => T): T | undefined {
  try {
    return what()
  } catch {
    return undefined
  }
}
