import { stampLength } from './agent-body.ts'

const perSecond = 1_000_000
const seconds = 10 ** stampLength / perSecond
let last = (Math.floor(Date.now() / 1000) % seconds) * perSecond

/**
 * A number no earlier request bore, nor one of an earlier run: a gateway with a cache that outlives the
 * run must not answer from it.
 */
export function nextRequestNumber(): number {
  return ++last
}
