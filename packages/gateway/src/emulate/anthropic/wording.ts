import { Refusal } from '../refusal.ts'
import type { Rule } from '../rule.ts'

/** Makes the message from where it is and what was seen there. */
export type Wording = (where: string, ...seen: readonly (string | number)[]) => string

const seen = (source: string): Omit<Rule<Wording>, 'value'> => ({ source, asOf: '2026-11-25', certainty: 'secondary' })
const unseen = { source: 'general knowledge', asOf: '2026-11-25', certainty: 'unverified' } as const

/** Why a request is refused. */
export type Reason =
  | 'extra'
  | 'required'
  | 'wrongType'
  | 'oneOf'
  | 'tooManyMarks'
  | 'emptyMark'
  | 'lateHour'
  | 'deferredMark'
  | 'automaticConflict'
  | 'emptyText'
  | 'noMessages'
  | 'firstRole'
  | 'systemRole'
  | 'missingResult'
  | 'strayResult'
  | 'badSignature'
  | 'thinkingFirst'
  | 'badBase64'
  | 'smallBudget'
  | 'budgetOverMax'
  | 'forcedWithThinking'
  | 'unknownTool'
  | 'choiceWithoutTools'
  | 'duplicateTool'
  | 'prewarm'
  | 'tooMuchOutput'
  | 'tooLong'

/** How Anthropic words what it refuses, and where each wording was seen. */
export const wordings: Readonly<Record<Reason, Rule<Wording>>> = {
  extra: { value: (at) => `${at}: Extra inputs are not permitted`, ...unseen },
  required: { value: (at) => `${at}: Field required`, ...unseen },
  wrongType: { value: (at, wanted) => `${at}: Input should be a valid ${wanted}`, ...unseen },
  oneOf: { value: (at, allowed) => `${at}: Input should be ${allowed}`, ...unseen },
  tooManyMarks: {
    value: (_at, found) => `A maximum of 4 blocks with cache_control may be provided. Found ${found}.`,
    ...seen('https://github.com/BerriAI/litellm/issues/16062'),
  },
  emptyMark: {
    value: (at) => `${at}: cache_control cannot be set for empty text blocks`,
    ...seen('https://github.com/anthropics/claude-code/issues/55302'),
  },
  lateHour: {
    value: (at) =>
      `${at}: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: \`tools\`, \`system\`, \`messages\`.`,
    ...seen('https://github.com/cnighswonger/claude-code-cache-fix/issues/44'),
  },
  deferredMark: {
    value: (at, name) =>
      `${at}: Tool '${name}' cannot have both defer_loading=true and cache_control set. Tools with defer_loading cannot use prompt caching.`,
    ...seen('https://github.com/anthropics/claude-code/issues/30989'),
  },
  automaticConflict: {
    value: (at) => `${at}: the last cacheable block already has a cache_control with another ttl`,
    ...unseen,
  },
  emptyText: { value: (at) => `${at}: text content blocks must be non-empty`, ...unseen },
  noMessages: { value: () => 'messages: at least one message is required', ...unseen },
  firstRole: { value: () => 'messages: first message must use the "user" role', ...unseen },
  systemRole: {
    value: (at) =>
      `${at}: Unexpected role "system". The Messages API accepts a top-level \`system\` parameter, not "system" as an input message role.`,
    ...unseen,
  },
  missingResult: {
    value: (at, ids) =>
      `${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${ids}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
    ...seen('https://github.com/anthropics/claude-code/issues/8210'),
  },
  strayResult: {
    value: (at, id) =>
      `${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
    ...unseen,
  },
  badSignature: {
    value: (at) => `${at}: Invalid \`signature\` in \`thinking\` block`,
    ...seen('https://github.com/anthropics/claude-code/issues/10627'),
  },
  thinkingFirst: {
    value: (at, found) =>
      `${at}: Expected \`thinking\` or \`redacted_thinking\`, but found \`${found}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks).`,
    ...seen('https://github.com/lbjlaq/Antigravity-Manager/issues/139'),
  },
  badBase64: { value: (at) => `${at}: invalid base64 data`, ...unseen },
  smallBudget: { value: (at, least) => `${at}: Input should be greater than or equal to ${least}`, ...unseen },
  budgetOverMax: { value: () => '`max_tokens` must be greater than `thinking.budget_tokens`', ...unseen },
  forcedWithThinking: { value: () => 'Thinking may not be enabled when tool_choice forces tool use.', ...unseen },
  unknownTool: { value: (_at, name) => `Tool '${name}' not found in provided tools`, ...unseen },
  choiceWithoutTools: { value: (at) => `${at}: may only be specified while providing tools`, ...unseen },
  duplicateTool: { value: (at) => `${at}: Tool names must be unique.`, ...unseen },
  prewarm: { value: (at) => `${at}: cannot be used with max_tokens: 0`, ...unseen },
  tooMuchOutput: {
    value: (at, found, most) =>
      `${at}: ${found} > ${most}, which is the maximum allowed number of output tokens for this model`,
    ...unseen,
  },
  tooLong: { value: (_at, found, most) => `prompt is too long: ${found} tokens > ${most} maximum`, ...unseen },
}

/**
 * A 400 in Anthropic's words.
 * @example throw refuse('extra', 'messages.0.name')
 */
export function refuse(reason: Reason, where: string = '', ...seen: readonly (string | number)[]): Refusal {
  const { value } = wordings[reason]
  return new Refusal(400, value(where, ...seen), { type: 'invalid_request_error' })
}
