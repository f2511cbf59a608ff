import type { Context, ContextOptions, Model } from '../native/contract.ts'

/** What states of a model are like that has recurrent layers. */
export interface StateProbe {
  /** What one sequence takes, whatever its length, without what tokens take in cells. */
  readonly bytes: number
  /** Why a saved state gives other bits than a prompt that was evaluated whole; `undefined` = it gives the same. */
  readonly inexact: string | undefined
}

const promptTokens = 40
const cutAt = 17
const cells = 256
const sequence = 0

/**
 * Tries on the model itself what reuse of its states rests on: that a prompt gives the same bits whole, cut in two, and
 * gone on with from a state that was saved. There are layers that add a prompt up in blocks, from wherever it begins.
 */
export async function probeStates(
  model: Model,
  settings: Pick<ContextOptions, 'threads' | 'flashAttention'>,
): Promise<StateProbe> {
  const context = model.createContext({ ...settings, cells, sequences: 1, batchTokens: promptTokens })
  try {
    const size = model.facts.vocabularySize
    const tokens = Int32Array.from({ length: promptTokens }, (_, index) => (index * 7_919 + 11) % size)
    const whole = await evaluate(context, tokens, 0)
    const bytes = model.facts.hybrid ? context.recurrentBytes(sequence) : context.stateBytes(sequence)
    context.removeSequence(sequence, 0, -1)
    await evaluate(context, tokens.subarray(0, cutAt), 0)
    const state = new Uint8Array(context.stateBytes(sequence))
    context.readState(sequence, state)
    const cut = await evaluate(context, tokens.subarray(cutAt), cutAt)
    context.removeSequence(sequence, 0, -1)
    const restored = context.writeState(sequence, state)
    const resumed = restored ? await evaluate(context, tokens.subarray(cutAt), cutAt) : undefined
    return { bytes, inexact: difference({ whole, cut, resumed }) }
  } finally {
    context.close()
  }
}

function difference(logits: {
  readonly whole: Uint8Array
  readonly cut: Uint8Array
  readonly resumed: Uint8Array | undefined
}): string | undefined {
  const { whole, cut, resumed } = logits
  if (Buffer.compare(whole, cut) !== 0)
    return 'a prompt that is evaluated in two parts gives other logits than one whole'
  if (resumed === undefined) return 'its saved states are refused'
  return Buffer.compare(cut, resumed) === 0 ? undefined : 'a saved state gives other logits'
}

/** @returns the bytes of the logits behind the last of `tokens` */
async function evaluate(context: Context, tokens: Int32Array, start: number): Promise<Uint8Array> {
  const { batch } = context
  for (const [row, token] of tokens.entries()) {
    batch.tokens[row] = token
    batch.positions[row] = start + row
    batch.sequences[row] = sequence
    // Two rows: a lone one is added up in another way.
    batch.wantsLogits[row] = row >= tokens.length - 2 ? 1 : 0
  }
  const outcome = await context.decode(tokens.length)
  if (outcome.kind !== 'done') throw new Error(`a trial of ${tokens.length} tokens ended as ${outcome.kind}`)
  const logits = context.logits(tokens.length - 1)
  return new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength).slice()
}
