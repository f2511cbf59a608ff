import type { Model } from '../../native/contract.ts'

/**
 * Fewest tokens of a prompt to evaluate at once, where its state is one sum: a lone token is added up in another order
 * than several, so a prompt is never cut one token behind a place, or in front of its end.
 */
export const leastPiece = 2
/** Most places of one prompt where its state is saved: each costs a batch of its own and a copy of the state. */
const mostEnds = 3

/**
 * Where the state of a prompt is worth saving: behind the first turn, which is the end of tools and system, and behind
 * the last ones. Turns end at the tokens that end answers, where a template has them, and in front of control tokens
 * where it has not; without either the last place that can be reused is taken.
 *
 * @param least positions before this one are not worth it
 * @returns ascending, each with a piece to evaluate before and behind it
 */
export function turnEnds(
  tokens: Int32Array,
  model: Pick<Model, 'endsGeneration' | 'controlTokens'>,
  least: number,
): readonly number[] {
  const last = tokens.length - leastPiece
  const fits = (position: number): boolean => position >= Math.max(leastPiece, least) && position <= last
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
  const chosen: number[] = []
  for (const [index, place] of places.entries()) {
    if (index > 0 && index <= places.length - mostEnds) continue
    if (place - (chosen.at(-1) ?? 0) >= leastPiece) chosen.push(place)
  }
  return chosen
}
