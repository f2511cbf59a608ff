/**
 * Members that make another context (P-9): whoever changes one reads another prefix, or none. Tools, system and
 * messages are segments. Sources: the table of what invalidates a prefix,
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching, autumn 2026 [V], for `tool_choice`, `thinking`,
 * `output_config.effort` and `speed`; for what else changes what is rendered, or where, the request types of
 * https://github.com/anthropics/anthropic-sdk-typescript 1.14.0, 2026-08-19 [V], their effect [U].
 */
export const profileFields: readonly string[] = [
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'speed',
  'service_tier',
  'inference_geo',
  'context_management',
  'compaction',
  'container',
  'mcp_servers',
  'thread',
]

export type WireErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'billing_error'
  | 'permission_error'
  | 'not_found_error'
  | 'request_too_large'
  | 'rate_limit_error'
  | 'timeout_error'
  | 'api_error'
  | 'overloaded_error'

export interface WireError {
  readonly type: 'error'
  readonly error: {
    readonly type: WireErrorType
    readonly message: string
    /** Beyond the API: the name under which `docs/errors.md` has it, or the upstream's own code. */
    readonly code?: string
  }
  readonly request_id: string
}
