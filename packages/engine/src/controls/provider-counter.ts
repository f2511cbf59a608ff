import { cacheBehaviour, epochMs, ProviderCache } from '@incipit/core'
import type { CacheReading, PrefixEnd, PromptPlace, ProviderPrompt } from '@incipit/core'
import { createHash } from 'node:crypto'

/** A prompt of a model that counts as a provider does. */
export interface CountedPrompt {
  readonly scope: string
  readonly tokens: Int32Array
  readonly provider: ProviderPrompt
  /** Tokens before a place; asked for only where an entry lies or is to lie. */
  readonly position: (place: PromptPlace) => number
  readonly at: number
}

/**
 * What a provider would report of the prompts of one model. The scope is part of every entry; what the engine cannot
 * read back is not reported as read.
 */
export class ProviderCounter {
  readonly #cache: ProviderCache = new ProviderCache()

  /** Looks a prompt up; it is counted and stored when its answer begins. */
  lookUp({ scope, tokens, provider, position, at }: CountedPrompt): CacheReading {
    const behaviour = cacheBehaviour(provider.provider, provider.model, epochMs(at))
    const stepHashes = behaviour.places === 'steps' ? hashesOf(tokens, behaviour.stepTokens) : undefined
    return this.#cache.lookUp(
      {
        // A NUL is in no scope key: the seed cannot be taken for more of it.
        scope: `${scope}\u0000${provider.seed}`,
        tokens: tokens.length,
        ends: provider.ends.map((end) => placedEnd(end, position)),
        stepHashes,
        mode: provider.mode,
        life: provider.life,
        at: epochMs(at),
      },
      behaviour,
    )
  }

  reset(scopePrefix: string): void {
    this.#cache.reset(scopePrefix)
  }
}

function placedEnd(end: ProviderPrompt['ends'][number], position: (place: PromptPlace) => number): PrefixEnd {
  let tokens: number | undefined
  return {
    hash: end.hash,
    mark: end.mark,
    ending: end.ending,
    leading: end.leading,
    get tokens() {
      return (tokens ??= position(end.place))
    },
  }
}

/** Of the first one, two, ... steps of so many tokens. */
function hashesOf(tokens: Int32Array, step: number): string[] {
  const hash = createHash('sha256')
  return Array.from({ length: Math.floor(tokens.length / step) }, (_, index) => {
    const part = tokens.subarray(index * step, (index + 1) * step)
    return hash
      .update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
      .copy()
      .digest('hex')
  })
}
