import type { LedgerEvent } from '../ledger/port.ts'
import type { Target } from '../route/route.ts'

type Place = Pick<LedgerEvent, 'upstream' | 'replica' | 'servedModel' | 'provider'>

/**
 * Where a request went, as rows say it, and whose price list holds there.
 * @example placeOf(passage.target).upstream // 'claude'
 */
export function placeOf(target: Target | undefined): Place {
  if (target === undefined) {
    return { upstream: undefined, replica: undefined, servedModel: undefined, provider: undefined }
  }
  if (target.kind === 'engine') {
    return { upstream: 'engine', replica: target.replica, servedModel: target.model, provider: 'engine' }
  }
  const { upstream, replica, model } = target
  return { upstream: upstream.name, replica: replica.name, servedModel: model, provider: upstream.provider }
}
