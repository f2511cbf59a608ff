import type { Attributes, AttributeValue } from '@opentelemetry/api'
import type { AttributeKey } from './gen-ai-names.ts'
import { attributes } from './gen-ai-names.ts'

/**
 * Attributes under their current names and, unless `latestOnly`, under former ones too. What is not known is left out.
 * @example named({ operation: 'chat' }, true) // { 'gen_ai.operation.name': 'chat' }
 */
export function named(
  values: Partial<Record<AttributeKey, AttributeValue | undefined>>,
  latestOnly: boolean,
): Attributes {
  const out: Attributes = {}
  for (const key of Object.keys(values) as AttributeKey[]) {
    const value = values[key]
    if (value === undefined) continue
    const { now, before } = attributes[key]
    out[now] = value
    if (before !== undefined && !latestOnly) out[before] = value
  }
  return out
}
