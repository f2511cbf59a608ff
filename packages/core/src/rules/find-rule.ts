import type { EpochMs } from '../domain/units.ts'
import type { CacheRule, ProviderName } from './cache-rule.ts'
import { cacheRules } from './cache-rules.ts'
import { isModelNamed, plainModelName } from './model-name.ts'

/**
 * The rule in force at an instant: the model's own, else the provider's general one. Names are taken
 * with or without a vendor path, with dots or dashes, with or without a date.
 *
 * @example findRule('anthropic', 'claude-opus-4-5-20251101', clock.now())?.minTokens // 4096
 */
export function findRule(provider: ProviderName, model: string, at: EpochMs): CacheRule | undefined {
  const name = plainModelName(model)
  const day = new Date(at).toISOString().slice(0, 10)
  const inForce = cacheRules.filter((rule) => rule.provider === provider && isInForce(rule, day))
  return inForce.find((rule) => isModelNamed(name, rule.model)) ?? inForce.find((rule) => rule.model === '*')
}

function isInForce(rule: CacheRule, day: string): boolean {
  return (rule.from === undefined || rule.from <= day) && (rule.until === undefined || day <= rule.until)
}
