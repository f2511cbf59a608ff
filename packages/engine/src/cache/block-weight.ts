import { recomputeWeight } from '@incipit/core'
import type { ModelFacts } from '../native/contract.ts'
import { blockTokens } from './block-key.ts'

/**
 * What each block of a prompt costs to compute, as the policy takes it. Per token, everything but attention is two
 * operations for each parameter; attention is four for each layer, number of the vector and token that comes before.
 */
export function blockWeights({ parameters, layers, width }: ModelFacts): (depth: number) => number {
  const evenAt = (2 * parameters) / (4 * layers * width)
  return (depth) => recomputeWeight(depth * blockTokens, evenAt)
}
