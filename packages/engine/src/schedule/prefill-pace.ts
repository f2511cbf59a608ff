/** How long running streams may wait for one batch that also evaluates prompts. */
const targetMs = 120
const fewestTokens = 32
/** Batches smaller than this say little about prompts. */
const tellingTokens = 32

/** How many prompt tokens to evaluate beside running streams, learnt from the batches before. */
export class PrefillPace {
  #msPerToken = 1

  get tokens(): number {
    return Math.max(fewestTokens, Math.floor(targetMs / this.#msPerToken))
  }

  note(tokens: number, elapsedMs: number): void {
    if (tokens < tellingTokens) return
    this.#msPerToken += (elapsedMs / tokens - this.#msPerToken) / 4
  }
}
