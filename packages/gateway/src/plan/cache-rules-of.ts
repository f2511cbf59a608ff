import type { CacheRule, DialectName, EpochMs, MarkRules, ProviderName } from '@incipit/core'
import { findRule } from '@incipit/core'
import type { UpstreamKind } from '../config/upstream-settings.ts'
import type { UpstreamTarget } from '../route/route.ts'
import { noMarks } from '../upstreams/kinds.ts'

const providers: Readonly<Partial<Record<UpstreamKind, ProviderName>>> = {
  anthropic: 'anthropic',
  openai: 'openai',
  fireworks: 'fireworks',
  'workers-ai': 'workers-ai',
}

/** OpenRouter puts the provider before the model's name. */
const behindRouter: readonly ProviderName[] = ['anthropic', 'openai']

/**
 * The published cache rule of the model a request goes to; `undefined` where nobody knows whose model it is.
 * @example cacheRuleOf(target, house.clock.now())?.minTokens // 1024
 */
export function cacheRuleOf({ upstream, model }: UpstreamTarget, now: EpochMs): CacheRule | undefined {
  const { kind } = upstream.settings
  const provider = kind === 'openrouter' ? behindRouter.find((name) => model.startsWith(`${name}/`)) : providers[kind]
  return provider === undefined ? undefined : findRule(provider, model, now)
}

/**
 * How the upstream takes marks for this model: OpenAI's models before breakpoints refuse them, and a model without
 * a rule of its own is taken for a newer one (D-12).
 */
export function markRulesOf(target: UpstreamTarget, dialect: DialectName, now: EpochMs): MarkRules {
  const rules = target.upstream.kind.marks[dialect] ?? noMarks
  if (rules.field !== 'prompt_cache_breakpoint') return rules
  const rule = cacheRuleOf(target, now)
  const automaticOnly = rule !== undefined && rule.model !== '*' && !rule.ttls.some(({ name }) => name === '30m')
  return automaticOnly ? noMarks : rules
}
