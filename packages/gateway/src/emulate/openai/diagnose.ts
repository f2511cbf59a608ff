import type { ChatPrompt } from '../chat/chat-prompt.ts'
import type { JsonObject } from '../json.ts'
import { objectOf, textOf } from '../json.ts'
import type { OpenAiState } from './openai-state.ts'
import type { ComparisonBasis } from './stored-response.ts'

/** The reasons in the order in which they are looked for, with what each compares. */
const reasons: readonly (readonly [reason: string, part: string])[] = [
  ['model_changed', 'model'],
  ['prompt_cache_key_changed', 'key'],
  ['service_tier_changed', 'tier'],
  ['tools_changed', 'tools'],
  ['text_format_changed', 'format'],
  ['reasoning_effort_changed', 'effort'],
  ['verbosity_changed', 'verbosity'],
  ['context_compacted', 'compaction'],
]

/** What a later request may compare itself with. */
export function comparisonBasis(body: JsonObject, { sequence, endings }: ChatPrompt): ComparisonBasis {
  const hashes = sequence.hashes('comparison', endings)
  const compacted =
    Array.isArray(body['input']) && body['input'].some((item) => objectOf(item)['type'] === 'compaction')
  return {
    parts: {
      model: String(body['model']),
      key: textOf(body['prompt_cache_key']) ?? '',
      tier: textOf(body['service_tier']) ?? 'auto',
      tools: JSON.stringify([body['tools'] ?? [], body['parallel_tool_calls'] !== false]),
      format: JSON.stringify(objectOf(body['text'])['format'] ?? null),
      effort: textOf(objectOf(body['reasoning'])['effort']) ?? '',
      verbosity: textOf(objectOf(body['text'])['verbosity']) ?? '',
      compaction: String(compacted),
    },
    tokens: sequence.length,
    endings: endings.map((position, index) => ({ position, hash: hashes[index] ?? '' })),
  }
}

/** `prompt_cache_diagnostics`, where the request names a response to compare with. */
export function diagnose(
  state: Pick<OpenAiState, 'responses'>,
  body: JsonObject,
  { org, basis }: { readonly org: string; readonly basis: ComparisonBasis },
): { readonly prompt_cache_diagnostics?: unknown } {
  const id = textOf(objectOf(body['prompt_cache_options'])['comparison_response_id'])
  if (id === undefined) return {}
  const other = state.responses.get(id)
  if (other === undefined || other.org !== org)
    return { prompt_cache_diagnostics: { type: 'comparison_response_not_found' } }
  return { prompt_cache_diagnostics: compare(other.comparison, basis) }
}

function compare(before: ComparisonBasis, now: ComparisonBasis): Readonly<Record<string, unknown>> {
  const [changed] = reasons.find(([, part]) => before.parts[part] !== now.parts[part]) ?? []
  const known = new Set(now.endings.map(({ hash }) => hash))
  const shared = Math.max(0, ...before.endings.filter(({ hash }) => known.has(hash)).map(({ position }) => position))
  const last = before.endings.at(-1)?.position ?? 0
  const reason = changed ?? (shared < last ? 'input_changed' : null)
  const reusable = changed === undefined ? shared : 0
  return {
    type: reason === null ? 'cache_hit' : 'cache_miss',
    reason,
    comparison_reusable_tokens: reusable,
    cache_missed_tokens: last - reusable,
  }
}
