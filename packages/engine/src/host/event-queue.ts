import type { GenerationEvent } from '@incipit/core'

/**
 * The events of one generation between the process that makes them and the stage that reads them.
 * A slow reader does not make it grow by the token: text that has not been read yet is joined.
 *
 * @example const queue = new EventQueue(); queue.push(event); for await (const event of queue) ...
 */
export class EventQueue implements AsyncIterable<GenerationEvent> {
  readonly #waiting: GenerationEvent[] = []
  #wake: (() => void) | undefined
  #end: { readonly error: unknown } | 'finished' | undefined

  push(event: GenerationEvent): void {
    if (this.#end !== undefined) return
    const last = this.#waiting.at(-1)
    if (event.kind === 'text-delta' && last?.kind === 'text-delta') {
      this.#waiting[this.#waiting.length - 1] = join(last, event)
    } else this.#waiting.push(event)
    if (event.kind === 'finish') this.#end = 'finished'
    this.#wake?.()
  }

  /** Ends the generation with an error, behind what is waiting; a finished one stays finished. */
  fail(error: unknown): void {
    this.#end ??= { error }
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<GenerationEvent> {
    for (;;) {
      const event = this.#waiting.shift()
      if (event !== undefined) {
        yield event
        continue
      }
      if (this.#end === 'finished') return
      if (this.#end !== undefined) throw this.#end.error
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }
}

type TextDelta = Extract<GenerationEvent, { kind: 'text-delta' }>

function join(first: TextDelta, second: TextDelta): TextDelta {
  const logprobs = [...(first.logprobs ?? []), ...(second.logprobs ?? [])]
  const text = first.text + second.text
  const joined = { kind: 'text-delta', text, outputTokens: second.outputTokens } as const
  return logprobs.length === 0 ? joined : { ...joined, logprobs }
}
