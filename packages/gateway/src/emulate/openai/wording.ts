import { Refusal } from '../refusal.ts'
import type { Rule } from '../rule.ts'

/** The words of a refusal. */
export interface Worded {
  readonly message: string
  readonly code?: string
}
/** Makes the message from where it is and what was seen there. */
export type Wording = (param: string, ...seen: readonly (string | number)[]) => Worded

const seen = (source: string): Omit<Rule<Wording>, 'value'> => ({ source, asOf: '2026-11-25', certainty: 'secondary' })
const unseen = { source: 'general knowledge', asOf: '2026-11-25', certainty: 'unverified' } as const

/** Why a request is refused. */
export type Reason =
  | 'unknown'
  | 'required'
  | 'wrongType'
  | 'invalidValue'
  | 'emptyArray'
  | 'unsupported'
  | 'maxTokens'
  | 'retention'
  | 'streamOptions'
  | 'missingResults'
  | 'strayTool'
  | 'missingOutput'
  | 'strayOutput'
  | 'toolsInResponses'
  | 'badImage'
  | 'looseSchema'
  | 'toolChoice'
  | 'noPrevious'
  | 'notCancellable'

/** How OpenAI words what it refuses, and where each wording was seen. */
export const wordings: Readonly<Record<Reason, Rule<Wording>>> = {
  unknown: { value: (param) => ({ message: `Unknown parameter: '${param}'.`, code: 'unknown_parameter' }), ...unseen },
  required: {
    value: (param) => ({ message: `Missing required parameter: '${param}'.`, code: 'missing_required_parameter' }),
    ...unseen,
  },
  wrongType: {
    value: (param, wanted, got) => ({
      message: `Invalid type for '${param}': expected ${wanted}, but got ${got} instead.`,
      code: 'invalid_type',
    }),
    ...unseen,
  },
  invalidValue: {
    value: (param, allowed) => ({
      message: `Invalid value for '${param}'. Supported values are: ${allowed}.`,
      code: 'invalid_value',
    }),
    ...unseen,
  },
  emptyArray: {
    value: (param) => ({
      message: `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      code: 'empty_array',
    }),
    ...unseen,
  },
  unsupported: {
    value: (param) => ({
      message: `Unsupported parameter: '${param}' is not supported with this model.`,
      code: 'unsupported_parameter',
    }),
    ...unseen,
  },
  maxTokens: {
    value: () => ({
      message:
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      code: 'unsupported_parameter',
    }),
    ...seen('https://github.com/tailcallhq/forgecode/issues/1081'),
  },
  retention: {
    value: (param, allowed) => ({
      message: `'${param}' must be ${allowed} for this model.`,
      code: 'invalid_parameter',
    }),
    source: 'https://developers.openai.com/api/docs/guides/prompt-caching',
    asOf: '2026-11-20',
    certainty: 'verified',
    note: 'status, param and code; the words are the emulator’s',
  },
  streamOptions: {
    value: () => ({ message: "The 'stream_options' parameter is only allowed when 'stream' is enabled." }),
    ...unseen,
  },
  missingResults: {
    value: (_param, ids) => ({
      message: `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${ids}`,
    }),
    ...unseen,
  },
  strayTool: {
    value: () => ({
      message:
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
    }),
    ...unseen,
  },
  missingOutput: { value: (_param, id) => ({ message: `No tool output found for function call ${id}.` }), ...unseen },
  strayOutput: {
    value: (_param, id) => ({ message: `No tool call found for function call output with call_id ${id}.` }),
    ...unseen,
  },
  toolsInResponses: {
    value: (param) => ({
      message: `Function calling with this model needs the Responses API: '${param}' is not supported here.`,
      code: 'unsupported_parameter',
    }),
    source: 'https://developers.openai.com/api/docs/models/gpt-6.1-terra',
    asOf: '2026-11-20',
    certainty: 'verified',
    note: 'the words are the emulator’s',
  },
  badImage: {
    value: (param) => ({
      message: `Invalid '${param}': expected a base64-encoded data URL of a png, jpeg, webp or gif image.`,
      code: 'invalid_image_format',
    }),
    ...unseen,
  },
  looseSchema: {
    value: (_param, kind, name, inContext) => ({
      message: `Invalid schema for ${kind} '${name}': ${inContext}`,
      code: kind === 'function' ? 'invalid_function_parameters' : 'invalid_json_schema',
    }),
    ...unseen,
  },
  toolChoice: {
    value: (param, name) => ({
      message: `Tool choice '${name}' not found in '${param.replace('_choice', 's')}' parameter.`,
    }),
    ...unseen,
  },
  noPrevious: {
    value: (_param, id) => ({
      message: `Previous response with id '${id}' not found.`,
      code: 'previous_response_not_found',
    }),
    ...unseen,
  },
  notCancellable: {
    value: () => ({ message: 'Only responses created with background=true can be cancelled.' }),
    ...unseen,
  },
}

/**
 * A 400 in OpenAI's words.
 * @example throw refuse('unknown', 'incipit')
 */
export function refuse(reason: Reason, param: string, ...seen: readonly (string | number)[]): Refusal {
  const { value } = wordings[reason]
  const { message, code } = value(param, ...seen)
  return new Refusal(400, message, { type: 'invalid_request_error', param, ...(code === undefined ? {} : { code }) })
}
