import type { ModelFacts } from './native/contract.ts'

/** How a model runs on this machine. */
export interface EngineSettings {
  readonly threads: { readonly decode: number; readonly prefill: number }
  readonly flashAttention: boolean
  /** Tokens per batch. */
  readonly batchTokens: number
}

/** Below this, handing work to another thread takes longer than the work. */
const tinyParameters = 20_000_000
/** Attention scores of one batch over the whole buffer; the largest scratch memory of a context. */
const maxScoreBytes = 160 * 1024 * 1024
const batchSizes: readonly number[] = [512, 256, 128, 64]

/**
 * Threads, flash attention and batch size for a model. llama.cpp's own default oversubscribes small
 * machines, and its threads spin while they wait, which costs a factor of 100 where a core is shared.
 *
 * Flash attention on the CPU evaluates long cold prompts faster, but changes kernels with the size of
 * a batch: the last bits of a prompt's logits then depend on how it was cut. Tiny models do without,
 * and give the same bits cold and cached; larger ones are fast by default, exact when asked to be.
 *
 * @example engineSettings({ facts: model.facts, cells: 16_384, cores: 2, threads: 'auto', flashAttention: 'auto' })
 */
export function engineSettings(options: {
  readonly facts: Pick<ModelFacts, 'parameters' | 'heads'>
  readonly cells: number
  readonly cores: number
  readonly threads: 'auto' | number
  readonly flashAttention: 'auto' | 'on' | 'off'
}): EngineSettings {
  const { facts, cells, cores } = options
  const tiny = facts.parameters < tinyParameters
  const flashAttention = options.flashAttention === 'auto' ? !tiny : options.flashAttention === 'on'
  const threads = chooseThreads(tiny, cores, options.threads)
  // Flash attention never holds the scores of a whole batch.
  if (flashAttention) return { threads, flashAttention, batchTokens: batchSizes[0] ?? 512 }
  const scoreBytesPerToken = facts.heads * cells * Float32Array.BYTES_PER_ELEMENT
  const batchTokens = batchSizes.find((size) => size * scoreBytesPerToken <= maxScoreBytes) ?? 32
  return { threads, flashAttention, batchTokens }
}

function chooseThreads(tiny: boolean, cores: number, wanted: 'auto' | number): EngineSettings['threads'] {
  if (wanted !== 'auto') return { decode: wanted, prefill: wanted }
  if (tiny) return { decode: 1, prefill: 1 }
  return { decode: Math.max(1, cores - 1), prefill: Math.max(1, cores) }
}
