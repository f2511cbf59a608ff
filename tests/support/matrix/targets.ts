import type { RecordingUpstream } from '../recording-upstream.ts'
import { startRecordingUpstream } from '../recording-upstream.ts'
import type { TestUpstream } from '../gateway.ts'

/** The dialects of clients, and the first path of each. */
export const sources = ['openai-chat', 'openai-responses', 'anthropic-messages', 'workers-ai'] as const
export type Source = (typeof sources)[number]

/** How an upstream takes cache marks; what each means is in the table of the test. */
export type MarkClass = 'cache_control' | 'breakpoint' | 'none'

/** A kind of upstream under test: what it speaks, the preferred dialect first, and how it takes marks of other dialects. */
export interface MatrixTarget {
  readonly name: string
  readonly settings: string
  readonly speaks: readonly Source[]
  readonly marks: MarkClass
}

const hosted = 'api_key: sk-test'
const chat = 'openai-chat'
const responses = 'openai-responses'
const messages = 'anthropic-messages'

/** Every kind, and `openai` once for each of its dialects. */
export const targets: readonly MatrixTarget[] = [
  {
    name: 'openai-by-chat',
    settings: `kind: openai, speaks: [openai-chat], ${hosted}`,
    speaks: [chat],
    marks: 'breakpoint',
  },
  {
    name: 'openai-by-responses',
    settings: `kind: openai, speaks: [openai-responses], ${hosted}`,
    speaks: [responses],
    marks: 'breakpoint',
  },
  { name: 'anthropic', settings: `kind: anthropic, ${hosted}`, speaks: [messages], marks: 'cache_control' },
  { name: 'fireworks', settings: `kind: fireworks, ${hosted}`, speaks: [chat], marks: 'none' },
  { name: 'workers-ai', settings: `kind: workers-ai, ${hosted}`, speaks: [chat, 'workers-ai'], marks: 'none' },
  { name: 'openrouter', settings: `kind: openrouter, ${hosted}`, speaks: [chat, responses], marks: 'cache_control' },
  { name: 'openai-compatible', settings: 'kind: openai-compatible', speaks: [chat], marks: 'none' },
  { name: 'anthropic-compatible', settings: 'kind: anthropic-compatible', speaks: [messages], marks: 'cache_control' },
  { name: 'vllm', settings: 'kind: vllm', speaks: [chat, responses], marks: 'none' },
  { name: 'sglang', settings: 'kind: sglang', speaks: [chat], marks: 'none' },
  { name: 'llama-server', settings: 'kind: llama-server', speaks: [chat, responses, messages], marks: 'none' },
]

/** The dialect in which a target is spoken to for a client: the client's own where it can be. */
export function spokenTo(target: MatrixTarget, source: Source): Source {
  return target.speaks.includes(source) ? source : (target.speaks[0] ?? chat)
}

/** The model by which a request is sent to a target. */
export function modelOf(target: MatrixTarget): string {
  return `at-${target.name}`
}

/** All targets over one upstream that records: each lies below a path of its own. */
export async function startTargets(): Promise<{ upstream: RecordingUpstream; configured: TestUpstream[] }> {
  const upstream = await startRecordingUpstream()
  const configured = targets.map((target) => ({
    name: target.name,
    url: `${upstream.url}/${target.name}`,
    settings: `${target.settings}, models: ["${modelOf(target)}"]`,
  }))
  return { upstream, configured }
}

/** Where a client of a dialect posts. */
export function pathFor(source: Source, model: string): string {
  switch (source) {
    case 'openai-chat':
      return '/v1/chat/completions'
    case 'openai-responses':
      return '/v1/responses'
    case 'anthropic-messages':
      return '/v1/messages'
    case 'workers-ai':
      return `/client/v4/accounts/acc/ai/run/${model}`
    default:
      return source satisfies never
  }
}
