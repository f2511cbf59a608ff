import { isDeepStrictEqual } from 'node:util'
import type { UpstreamSettings } from '../config/upstream-settings.ts'
import type { Upstream } from './upstream.ts'
import { openUpstream } from './upstream.ts'

/**
 * The upstreams of a configuration. Those that have not changed are kept as they are, with their connections
 * and what their circuits have learnt.
 *
 * @throws Error naming the upstream that cannot be opened
 * @example const upstreams = openUpstreams(config.upstreams, house.routes.upstreams)
 */
export function openUpstreams(settings: readonly UpstreamSettings[], known: readonly Upstream[]): readonly Upstream[] {
  return settings.map(
    (wanted) => known.find((upstream) => isDeepStrictEqual(upstream.settings, wanted)) ?? openUpstream(wanted),
  )
}

/**
 * Closes the upstreams that are no longer served, once what is under way there has ended.
 * @example void closeUpstreams(before, after)
 */
export async function closeUpstreams(known: readonly Upstream[], kept: readonly Upstream[]): Promise<void> {
  await Promise.all(known.filter((upstream) => !kept.includes(upstream)).map((upstream) => upstream.close()))
}
