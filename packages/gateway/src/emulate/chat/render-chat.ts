import type { Answer } from '../decide-answer.ts'
import { idOf } from '../digest.ts'
import type { Frame } from '../reply.ts'
import { textPieces } from '../text-pieces.ts'

/** A JSON object that goes out. */
export type Part = Readonly<Record<string, unknown>>

/** Everything a chat completion consists of. */
export interface ChatCompletion {
  readonly id: string
  /** In seconds since 1970. */
  readonly created: number
  readonly model: string
  /** One per choice. */
  readonly answers: readonly Answer[]
  readonly usage: Readonly<Record<string, unknown>>
  /** Members that only this provider has. */
  readonly extra?: Readonly<Record<string, unknown>>
}

export interface ChatStreamOptions {
  readonly includeUsage: boolean
  /** Members of the last chunk that carries a choice: some providers put usage there. */
  readonly lastChunk?: Part
}

/** The completion as one body. */
export function renderChat({ id, created, model, answers, usage, extra }: ChatCompletion): Part {
  const choices = answers.map((answer, index) => ({
    index,
    message: messageOf(answer),
    logprobs: null,
    finish_reason: finishOf(answer),
  }))
  return { id, object: 'chat.completion', created, model, choices, usage, ...extra }
}

/** The same completion as chunks. */
export function renderChatStream(completion: ChatCompletion, options: ChatStreamOptions): readonly Frame[] {
  const { id, created, model, answers, usage, extra } = completion
  const common = { id, object: 'chat.completion.chunk', created, model, ...extra }
  const nullUsage = options.includeUsage ? { usage: null } : {}
  const chunk = (index: number, delta: Part, finish: string | null, part: Frame['part']): Frame => ({
    data: JSON.stringify({
      ...common,
      choices: [{ index, delta, logprobs: null, finish_reason: finish }],
      ...nullUsage,
    }),
    part,
  })
  const frames = answers.flatMap((answer, index) => [
    chunk(index, openingOf(answer), null, 'start'),
    ...deltasOf(answer).map((delta) => chunk(index, delta, null, 'content')),
    chunk(index, {}, finishOf(answer), 'start'),
  ])
  const last: Frame = { data: JSON.stringify({ ...common, choices: [], usage }), part: 'usage' }
  const counted = options.lastChunk === undefined ? frames : withMembers(frames, options.lastChunk)
  return [...counted, ...(options.includeUsage ? [last] : []), { data: '[DONE]', part: 'end' }]
}

function withMembers(frames: readonly Frame[], members: Part): readonly Frame[] {
  const last = frames.at(-1)
  if (last === undefined) return frames
  return [...frames.slice(0, -1), { ...last, data: JSON.stringify({ ...(JSON.parse(last.data) as Part), ...members }) }]
}

function messageOf(answer: Answer): Part {
  if (answer.kind === 'text') return { role: 'assistant', content: answer.text, refusal: null, annotations: [] }
  return { role: 'assistant', content: null, refusal: null, annotations: [], tool_calls: [callOf(answer)] }
}

function callOf(answer: Answer & { readonly kind: 'tool' }): Part {
  return { id: idOf('call_', answer.seedId), type: 'function', function: { name: answer.name, arguments: answer.json } }
}

function openingOf(answer: Answer): Part {
  if (answer.kind === 'text') return { role: 'assistant', content: '', refusal: null }
  const { function: called, ...call } = callOf(answer) as { readonly function: Part }
  return {
    role: 'assistant',
    content: null,
    tool_calls: [{ index: 0, ...call, function: { ...called, arguments: '' } }],
  }
}

function deltasOf(answer: Answer): readonly Part[] {
  if (answer.kind === 'text') return textPieces(answer.text).map((content) => ({ content }))
  return textPieces(answer.json).map((json) => ({ tool_calls: [{ index: 0, function: { arguments: json } }] }))
}

function finishOf(answer: Answer): string {
  return answer.kind === 'tool' ? 'tool_calls' : answer.finish
}
