import type { Answer, AnswerBlock, AnswerEvent, AnswerUsage } from '../../domain/answer.ts'
import type { TokenLogprob } from '../../domain/generation.ts'
import { appendAll } from '../../domain/append.ts'

type Text = { kind: 'text'; text: string; logprobs: TokenLogprob[] | undefined }
type Thinking = { kind: 'thinking'; text: string; signature: string | undefined }
type Call = { kind: 'tool-call'; id: string; name: string; arguments: string }
type Growing = Text | Thinking | Call | { kind: 'refusal'; text: string } | { kind: 'redacted-thinking'; data: string }

/**
 * Puts the events of one answer together.
 *
 * @example const fold = new AnswerFold(); for await (const event of events) fold.push(event); fold.answer
 */
export class AnswerFold {
  readonly #blocks: Growing[] = []
  readonly #calls = new Map<number, Call>()
  #start: Extract<AnswerEvent, { kind: 'start' }> | undefined
  #finish: Extract<AnswerEvent, { kind: 'finish' }> | undefined

  push(event: AnswerEvent): void {
    switch (event.kind) {
      case 'start':
        this.#start = event
        return
      case 'finish':
        this.#finish = event
        return
      case 'text-delta':
        this.#text(event.text, event.logprobs)
        return
      case 'refusal-delta':
        this.#refusal(event.text)
        return
      case 'thinking-delta':
        this.#thinking().text += event.text
        return
      case 'thinking-signature':
        this.#thinking().signature = event.signature
        return
      case 'redacted-thinking':
        this.#blocks.push({ kind: 'redacted-thinking', data: event.data })
        return
      case 'tool-start': {
        const call: Call = { kind: 'tool-call', id: event.id, name: event.name, arguments: '' }
        this.#calls.set(event.index, call)
        this.#blocks.push(call)
        return
      }
      case 'tool-delta': {
        const call = this.#calls.get(event.index)
        if (call !== undefined) call.arguments += event.json
        return
      }
      case 'ping':
        return
      default:
        event satisfies never
    }
  }

  /** The whole answer; `undefined` where its `finish` has not come. */
  get answer(): Answer | undefined {
    if (this.#finish === undefined) return undefined
    const { stop, stopSequence, usage } = this.#finish
    return {
      id: this.#start?.id,
      model: this.#start?.model,
      blocks: this.#blocks.map((block): AnswerBlock => ({ ...block })),
      stop,
      stopSequence,
      usage: laterUsage(this.#start?.usage, usage),
      ...(this.#start?.diagnosis === undefined ? {} : { diagnosis: this.#start.diagnosis }),
    }
  }

  #text(text: string, logprobs: readonly TokenLogprob[] | undefined): void {
    if (text === '' && logprobs === undefined) return
    let last = this.#blocks.at(-1)
    if (last?.kind !== 'text') {
      last = { kind: 'text', text: '', logprobs: undefined }
      this.#blocks.push(last)
    }
    last.text += text
    if (logprobs !== undefined) appendAll((last.logprobs ??= []), logprobs)
  }

  #refusal(text: string): void {
    const last = this.#blocks.at(-1)
    if (last?.kind === 'refusal') last.text += text
    else this.#blocks.push({ kind: 'refusal', text })
  }

  /** A signature ends its block. */
  #thinking(): Thinking {
    const last = this.#blocks.at(-1)
    if (last?.kind === 'thinking' && last.signature === undefined) return last
    const block: Thinking = { kind: 'thinking', text: '', signature: undefined }
    this.#blocks.push(block)
    return block
  }
}

/**
 * What the end of an answer says about its cost, completed by what its start said.
 * @example laterUsage(start.usage, finish.usage)
 */
export function laterUsage(start: AnswerUsage | undefined, finish: AnswerUsage | undefined): AnswerUsage | undefined {
  if (start === undefined || finish === undefined) return finish ?? start
  const buckets = { ...start.buckets }
  for (const name of Object.keys(finish.buckets) as (keyof typeof buckets)[]) {
    buckets[name] = finish.buckets[name] ?? buckets[name]
  }
  return { buckets, reasoningTokens: finish.reasoningTokens ?? start.reasoningTokens }
}
