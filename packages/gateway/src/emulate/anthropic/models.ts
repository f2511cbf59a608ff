import type { Rule } from '../rule.ts'

/** What the emulator knows of a model. */
export interface AnthropicModel {
  readonly id: string
  readonly displayName: string
  readonly line: string
  /** Prompts shorter than this are not cached, silently. */
  readonly minTokens: number
  readonly maxInputTokens: number
  readonly maxOutputTokens: number
  /** Thinking stays in the prompt when plain user text follows it. */
  readonly keepsThinking: boolean
  /** Takes `system` messages in the middle of a conversation. */
  readonly systemMessages: boolean
}

type Row = readonly [id: string, name: string, minTokens: number, keepsThinking: boolean, systemMessages: boolean]

const rows: readonly Row[] = [
  ['claude-fable-5-1', 'Claude Fable 5.1', 512, true, true],
  ['claude-mythos-5-1', 'Claude Mythos 5.1', 512, true, false],
  ['claude-fable-5', 'Claude Fable 5', 512, true, true],
  ['claude-mythos-5', 'Claude Mythos 5', 512, true, false],
  ['claude-opus-5-5', 'Claude Opus 5.5', 512, true, true],
  ['claude-opus-5', 'Claude Opus 5', 512, true, true],
  ['claude-sonnet-5-5', 'Claude Sonnet 5.5', 512, true, true],
  ['claude-haiku-5-5', 'Claude Haiku 5.5', 512, false, false],
  ['claude-opus-4-8', 'Claude Opus 4.8', 1_024, true, true],
  ['claude-sonnet-5', 'Claude Sonnet 5', 1_024, true, false],
  ['claude-sonnet-4-6', 'Claude Sonnet 4.6', 1_024, true, false],
  ['claude-sonnet-4-5', 'Claude Sonnet 4.5', 1_024, false, false],
  ['claude-sonnet-4', 'Claude Sonnet 4', 1_024, false, false],
  ['claude-opus-4-1', 'Claude Opus 4.1', 1_024, false, false],
  ['claude-opus-4', 'Claude Opus 4', 1_024, false, false],
  ['claude-opus-4-7', 'Claude Opus 4.7', 2_048, true, false],
  ['claude-3-5-haiku', 'Claude Haiku 3.5', 2_048, false, false],
  ['claude-mythos-preview', 'Claude Mythos Preview', 2_048, true, false],
  ['claude-opus-4-6', 'Claude Opus 4.6', 4_096, true, false],
  ['claude-opus-4-5', 'Claude Opus 4.5', 4_096, true, false],
  ['claude-haiku-4-5', 'Claude Haiku 4.5', 4_096, false, false],
]

/** Minimums, kept thinking and system messages by model; input and output limits are the emulator's own, alike for all. */
export const modelRules: Rule<readonly AnthropicModel[]> = {
  value: rows.map(([id, displayName, minTokens, keepsThinking, systemMessages]) => ({
    id,
    displayName,
    line: id.replace(/^claude-(?:3-5-)?/, '').replace(/-.*$/, ''),
    minTokens,
    maxInputTokens: 1_000_000,
    maxOutputTokens: 128_000,
    keepsThinking,
    systemMessages,
  })),
  source: 'https://platform.claude.com/docs/en/build-with-claude/prompt-caching',
  asOf: '2026-11-20',
  certainty: 'verified',
  note: 'ids are derived from the names; the input and output limits are not the real ones',
}

/**
 * The model of an id, dated snapshots and `-latest` included.
 * @example findModel('claude-sonnet-4-5-20250929')?.minTokens // 1024
 */
export function findModel(id: string): AnthropicModel | undefined {
  return modelRules.value.find((model) => {
    const rest = id.startsWith(model.id) ? id.slice(model.id.length) : undefined
    return rest !== undefined && /^(?:-0|-latest|-\d{8})?$/.test(rest)
  })
}
