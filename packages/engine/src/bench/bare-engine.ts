import type { Context, Model } from '../native/contract.ts'

/** Settings of a bare context. */
export interface BareSettings {
  readonly threads: number
  readonly flashAttention: boolean
  /** Side by side in one buffer; 1 where it is not said. */
  readonly sequences?: number | undefined
}

/**
 * The baseline: `llama_decode` in a loop and nothing else. What it takes for the new tokens behind a
 * resident prefix is the floor of a warm request; what it takes for everything is the cold baseline.
 */
export class BareEngine {
  readonly #context: Context

  constructor(model: Model, settings: BareSettings, cells: number) {
    this.#context = model.createContext({
      cells,
      batchTokens: 512,
      sequences: settings.sequences ?? 1,
      threads: { decode: settings.threads, prefill: settings.threads },
      flashAttention: settings.flashAttention,
    })
  }

  /** Milliseconds to evaluate `tokens` of a sequence from `start` on, up to the logits of the last one. */
  async evaluate(tokens: Int32Array, start: number, sequence = 0): Promise<number> {
    const { batch } = this.#context
    this.#context.removeSequence(sequence, start, -1)
    const begun = performance.now()
    for (let at = start; at < tokens.length; at += batch.capacity) {
      const count = Math.min(batch.capacity, tokens.length - at)
      for (let index = 0; index < count; index++) {
        batch.tokens[index] = tokens[at + index] ?? 0
        batch.positions[index] = at + index
        batch.sequences[index] = sequence
        batch.wantsLogits[index] = at + index === tokens.length - 1 ? 1 : 0
      }
      const outcome = await this.#context.decode(count)
      if (outcome.kind !== 'done') throw new Error(`decode ended as ${outcome.kind}`)
    }
    return performance.now() - begun
  }

  /** Milliseconds of one step: the next token of the first `sequences` sequences, at `position` of each. */
  async step(sequences: number, position: number): Promise<number> {
    const { batch } = this.#context
    for (let sequence = 0; sequence < sequences; sequence++) {
      this.#context.removeSequence(sequence, position, -1)
      batch.tokens[sequence] = sequence
      batch.positions[sequence] = position
      batch.sequences[sequence] = sequence
      batch.wantsLogits[sequence] = 1
    }
    const begun = performance.now()
    const outcome = await this.#context.decode(sequences)
    if (outcome.kind !== 'done') throw new Error(`decode ended as ${outcome.kind}`)
    return performance.now() - begun
  }

  close(): void {
    this.#context.close()
  }
}
