import type { CacheDiagnosis, PlacedEnd, PromptPlace, ProviderPrompt } from '@incipit/core'

/** A prompt to compare, or to compare with. */
export interface ComparedPrompt {
  readonly scope: string
  /** How many tokens it has. */
  readonly tokens: number
  readonly provider: ProviderPrompt
}

interface Remembered extends ComparedPrompt {
  /** Tokens up to the last message that ends where a provider would store. */
  readonly endingTokens: number
}

const defaultMaxPrompts = 512

/**
 * The latest prompts, by the ids of their answers, to say of a later one why it could not reuse what they left. The
 * one that is remembered for longest goes first.
 */
export class PromptHistory {
  readonly #prompts = new Map<string, Remembered>()
  readonly #maxPrompts: number

  constructor(maxPrompts: number = defaultMaxPrompts) {
    this.#maxPrompts = maxPrompts
  }

  /** Compares a prompt as its request asks. @returns `undefined` = it does not ask */
  compare(prompt: ComparedPrompt, position: (place: PromptPlace) => number): CacheDiagnosis | undefined {
    const { provider, scope } = prompt
    const { compareWith } = provider
    if (compareWith === undefined) return undefined
    const found = compareWith === null ? undefined : this.#prompts.get(idOf(compareWith))
    // Another organisation's answer is one that nobody knows.
    const earlier = found?.scope === scope && found.provider.provider === provider.provider ? found : undefined
    if (provider.provider === 'openai') return comparedByOpenai(earlier, prompt, position)
    if (compareWith === null) return { provider: 'anthropic', reason: null }
    return { provider: 'anthropic', reason: reasonOf(earlier, prompt, position) }
  }

  /** @param id of the request; its answer's is made from it */
  remember(id: string, prompt: ComparedPrompt, position: (place: PromptPlace) => number): void {
    const last = endingsOf(prompt.provider).at(-1)
    const endingTokens = prompt.provider.provider === 'openai' && last !== undefined ? position(last.place) : 0
    this.#prompts.set(id, { ...prompt, endingTokens })
    const oldest = this.#prompts.keys().next()
    if (this.#prompts.size > this.#maxPrompts && oldest.done !== true) this.#prompts.delete(oldest.value)
  }

  reset(scopePrefix: string): void {
    for (const [id, { scope }] of this.#prompts) if (scope.startsWith(scopePrefix)) this.#prompts.delete(id)
  }
}

type Reason = Extract<CacheDiagnosis, { provider: 'anthropic' }>['reason']

function reasonOf(
  earlier: Remembered | undefined,
  { provider }: ComparedPrompt,
  position: (place: PromptPlace) => number,
): Reason {
  if (earlier === undefined) return { type: 'previous_message_not_found', missedTokens: undefined }
  const before = earlier.provider
  if (before.model !== provider.model) return { type: 'model_changed', missedTokens: earlier.tokens }
  const now = new Map(provider.ends.map((end) => [end.hash, end]))
  const first = before.ends.findIndex(({ hash }) => !now.has(hash))
  if (first < 0) return null
  const shared = now.get(before.ends[first - 1]?.hash ?? '')
  const missedTokens = earlier.tokens - (shared === undefined ? 0 : Math.min(earlier.tokens, position(shared.place)))
  const changed = (['tools', 'system'] as const).find((level) => lastOf(before, level) !== lastOf(provider, level))
  return { type: `${changed ?? 'messages'}_changed`, missedTokens }
}

function lastOf({ ends }: ProviderPrompt, level: PlacedEnd['level']): string | undefined {
  return ends.findLast((end) => end.level === level)?.hash
}

function comparedByOpenai(
  earlier: Remembered | undefined,
  { provider }: ComparedPrompt,
  position: (place: PromptPlace) => number,
): CacheDiagnosis {
  if (earlier === undefined) {
    const unknown = { reason: null, reusableTokens: undefined, missedTokens: undefined }
    return { provider: 'openai', type: 'comparison_response_not_found', ...unknown }
  }
  const before = earlier.provider
  const changed = Object.keys(provider.traits).find((name) => provider.traits[name] !== before.traits[name])
  const now = new Map(endingsOf(provider).map((end) => [end.hash, end]))
  const endings = endingsOf(before)
  const shared = endings.findLastIndex(({ hash }) => now.has(hash))
  const isWhole = shared === endings.length - 1
  const place = now.get(endings[shared]?.hash ?? '')?.place
  const reason = changed ?? (isWhole ? null : 'input_changed')
  const reusable = changed !== undefined || place === undefined ? 0 : Math.min(earlier.endingTokens, position(place))
  return {
    provider: 'openai',
    type: reason === null ? 'cache_hit' : 'cache_miss',
    reason,
    reusableTokens: reusable,
    missedTokens: reason === null ? 0 : earlier.endingTokens - reusable,
  }
}

function endingsOf({ ends }: ProviderPrompt): PlacedEnd[] {
  return ends.filter(({ ending, leading }) => ending === true || leading === true)
}

/** What our answers' ids are made from. */
function idOf(answerId: string): string {
  return answerId.replace(/^(?:msg|resp)_/, '')
}
