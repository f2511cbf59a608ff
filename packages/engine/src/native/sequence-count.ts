import type { ModelFacts } from './contract.ts'

/** More ids than this cannot be asked for (`llama_max_parallel_sequences`). */
export const maxSequences = 256

type ModelKind = Pick<ModelFacts, 'slidingWindow' | 'recurrent' | 'hybrid'>

/** Sequences that llama.cpp has to know, for as many as a context is to have: `WindowGuard`, `NeighbourIds`. */
export function sequencesBelow(kind: ModelKind, sequences: number): number {
  if (kind.slidingWindow > 0) return 2 * sequences
  return isPurelyRecurrent(kind) ? sequences + 1 : sequences
}

/** Most sequences that a context of a model can have. */
export function mostSequences(kind: ModelKind): number {
  if (kind.slidingWindow > 0) return maxSequences / 2
  return isPurelyRecurrent(kind) ? maxSequences - 1 : maxSequences
}

/** No layer is attention: there are no cells. */
export function isPurelyRecurrent({ recurrent, hybrid }: ModelKind): boolean {
  return recurrent && !hybrid
}

/** Some layer is recurrent: its state cannot be cut, and is kept and reused whole. */
export function keepsWholeStates({ recurrent, hybrid }: ModelKind): boolean {
  return recurrent || hybrid
}
