import type { Context, Model } from '../native/contract.ts'

/** Settings of a bare context. */
export interface BareSettings {
  readonly threads: number
  readonly flashAttention: boolean
}

/**
 * The baseline: `llama_decode` in a loop and nothing else. What it takes for the new tokens behind a
 * resident prefix is the floor of a warm request; what it takes for everything is the cold baseline.
 */
export class BareEngine {
  readonly #context: Context
  readonly #sequence = 0

  constructor(model: Model, settings: BareSettings, cells: number) {
    this.#context = model.createContext({
      cells,
      batchTokens: 512,
      sequences: 1,
      threads: { decode: settings.threads, prefill: settings.threads },
      flashAttention: settings.flashAttention,
    })
  }

  /** Milliseconds to evaluate `tokens` from `start` on, up to the logits of the last one. */
  async evaluate(tokens: Int32Array, start: number): Promise<number> {
    const { batch } = this.#context
    this.#context.removeSequence(this.#sequence, start, -1)
    const begun = performance.now()
    for (let at = start; at < tokens.length; at += batch.capacity) {
      const count = Math.min(batch.capacity, tokens.length - at)
      for (let index = 0; index < count; index++) {
        batch.tokens[index] = tokens[at + index] ?? 0
        batch.positions[index] = at + index
        batch.sequences[index] = this.#sequence
        batch.wantsLogits[index] = at + index === tokens.length - 1 ? 1 : 0
      }
      const outcome = await this.#context.decode(count)
      if (outcome.kind !== 'done') throw new Error(`decode ended as ${outcome.kind}`)
    }
    return performance.now() - begun
  }

  close(): void {
    this.#context.close()
  }
}
