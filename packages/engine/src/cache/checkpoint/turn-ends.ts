import type { Model } from '../../native/contract.ts'

/** Most places of one prompt where its state is saved: each costs a batch of its own and a copy of the state. */
const mostEnds = 3

/**
 * Where the state of a prompt is worth saving: behind the first turn, which is the end of tools and system, and behind
 * the last ones. Turns end at the tokens that end answers, where a template has them, and in front of control tokens
 * where it has not; without either the last place that can be reused is taken.
 *
 * @param least positions before this one are not worth it
 * @returns ascending, none at the last token or behind it: that one is always evaluated
 */
export function turnEnds(
  tokens: Int32Array,
  model: Pick<Model, 'endsGeneration' | 'controlTokens'>,
  least: number,
): readonly number[] {
  const last = tokens.length - 1
  const fits = (position: number): boolean => position >= Math.max(1, least) && position <= last
  const ends: number[] = []
  const controls: number[] = []
  const isControl = new Set(model.controlTokens.values())
  for (const [index, token] of tokens.entries()) {
    if (!isControl.has(token)) continue
    if (fits(index)) controls.push(index)
    if (model.endsGeneration(token) && fits(index + 1)) ends.push(index + 1)
  }
  const places = ends.length > 0 ? ends : controls
  if (places.length === 0) return fits(last) ? [last] : []
  return places.filter((_, index) => index === 0 || index > places.length - mostEnds)
}
