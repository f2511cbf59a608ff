import type { Hasher, SessionId } from '@incipit/core'
import { frame } from '@incipit/core'
import type { RequestHead } from '../receive/receive-head.ts'
import { KeyedMemo } from './keyed-memo.ts'

/** How a request is served: with or without the work for its prefix, and why without. */
export interface Service {
  readonly prefixCache: 'on' | 'off'
  /** Drawn for the control group: served as without Incipit. */
  readonly control: boolean
}

/**
 * Whether a request is of the control group: drawn by its session, so that all turns of one are served alike, and a
 * fraction that grows never takes a session out of the group. What the client asks for in the head wins.
 *
 * @example serviceOf({ head, session, fraction: 0.05 }, { hasher, secret }).control
 */
export function serviceOf(
  asked: { readonly head: Pick<RequestHead, 'prefixCache'>; readonly session: SessionId; readonly fraction: number },
  ports: { readonly hasher: Hasher; readonly secret: Uint8Array },
): Service {
  const { head, session, fraction } = asked
  if (head.prefixCache !== undefined) return { prefixCache: head.prefixCache, control: false }
  const control = fraction > 0 && drawOf(session, ports) < fraction
  return { prefixCache: control ? 'off' : 'on', control }
}

const draws = new KeyedMemo<number>()

/** From 0 up to 1, without it. */
function drawOf(
  session: SessionId,
  { hasher, secret }: { readonly hasher: Hasher; readonly secret: Uint8Array },
): number {
  return draws.of(secret, session, () => {
    const digest = hasher.hmacSha256(secret, frame(['incipit/control/1', session]))
    const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength)
    return view.getUint32(0) / 2 ** 32
  })
}
