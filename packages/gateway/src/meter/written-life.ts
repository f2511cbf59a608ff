import type { Breakpoint, Prompt } from '@incipit/core'
import type { Passage } from '../passage.ts'
import { markRulesOf } from '../plan/cache-rules-of.ts'
import type { UpstreamTarget } from '../route/route.ts'

type Life = Breakpoint['ttl']

/** Ascending. */
const lives: readonly Life[] = ['5m', '30m', '1h', '12h']

/**
 * How long an upstream keeps what it says it has written, where its one count of that names no life (D-42): what was
 * asked for. Where several were, the longest, so that no cost is shown too low.
 *
 * @example writtenLife(passage) // '12h' for prompt_cache_options.ttl
 */
export function writtenLife(passage: Passage): Life {
  const { who, target } = passage
  if (who === undefined || target?.kind !== 'upstream') return '30m'
  const usual = usualLife(target)
  if (!passage.translated) return longest(askedFor(who.prompt)) ?? usual
  const { ttls } = markRulesOf(target, passage.spoken?.name ?? who.prompt.dialect, passage.at)
  return longest(askedFor(who.prompt).map((life) => nearest(life, ttls) ?? usual)) ?? usual
}

/** Where nobody asks for a life: 30 minutes are OpenAI's. */
function usualLife({ upstream, model }: UpstreamTarget): Life {
  // https://forum.moonshot.ai/t/context-caching-upgrade-5-min-1-hour-ttl-options/613, 2026-10
  if (upstream.provider === 'moonshot') return '5m'
  return upstream.provider === 'openrouter' && !model.startsWith('openai/') ? '5m' : '30m'
}

function askedFor({ breakpoints, cacheTtl }: Prompt): readonly Life[] {
  const marked = breakpoints.map(({ ttl }) => ttl)
  return cacheTtl === undefined ? marked : [...marked, cacheTtl]
}

function longest(asked: readonly Life[]): Life | undefined {
  return lives.findLast((life) => asked.includes(life))
}

/** As a translation asks for it: the shortest life offered that is as long, else the longest. */
function nearest(asked: Life, offered: readonly Life[]): Life | undefined {
  const ascending = lives.filter((life) => offered.includes(life))
  return ascending.find((life) => lives.indexOf(life) >= lives.indexOf(asked)) ?? ascending.at(-1)
}
