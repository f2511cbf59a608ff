import { schemaBytes } from './bodies.ts'
import type { Json } from './sent-body.ts'
import type { Source } from './targets.ts'

/** One way to ask for an answer: members that say it by dialect. Where the target has none, a warning must say so. */
export interface SettingCase {
  readonly name: string
  readonly says: Readonly<Partial<Record<Source, Readonly<Record<string, Json>>>>>
  /** What has to stand in the dialect sent, where that is not what a client of it would say. */
  readonly sent?: Readonly<Partial<Record<Source, Json>>>
}

const schema = JSON.parse(schemaBytes) as Json // parsed JSON is nothing else
const named = (name: string): Json => ({ type: 'function', function: { name } })
const everywhere = (members: Readonly<Record<string, Json>>): SettingCase['says'] => ({
  'openai-chat': members,
  'openai-responses': members,
  'anthropic-messages': members,
  'workers-ai': members,
})
const inChat = (members: Readonly<Record<string, Json>>): SettingCase['says'] => ({
  'openai-chat': members,
  'workers-ai': members,
})

export const settings: readonly SettingCase[] = [
  { name: 'temperature', says: everywhere({ temperature: 0.3125 }) },
  { name: 'top_p', says: everywhere({ top_p: 0.8125 }) },
  { name: 'top_k', says: everywhere({ top_k: 37 }) },
  { name: 'min_p', says: inChat({ min_p: 0.0625 }) },
  { name: 'seed', says: inChat({ seed: 471_147 }) },
  { name: 'frequency_penalty', says: inChat({ frequency_penalty: 0.4375 }) },
  { name: 'presence_penalty', says: inChat({ presence_penalty: 0.5625 }) },
  { name: 'repetition_penalty', says: inChat({ repetition_penalty: 1.0625 }) },
  { name: 'logit_bias', says: { 'openai-chat': { logit_bias: { '77': -3 } } } },
  {
    name: 'logprobs',
    says: { 'openai-chat': { logprobs: true, top_logprobs: 3 } },
    sent: { 'openai-responses': { top_logprobs: 3 } },
  },
  {
    name: 'the largest answer',
    says: {
      'openai-chat': { max_completion_tokens: 4_711 },
      'openai-responses': { max_output_tokens: 4_711 },
      'anthropic-messages': { max_tokens: 4_711 },
      'workers-ai': { max_tokens: 4_711 },
    },
  },
  {
    name: 'stop sequences',
    says: {
      'openai-chat': { stop: ['HALT', '\n\nEND'] },
      'anthropic-messages': { stop_sequences: ['HALT', '\n\nEND'] },
      'workers-ai': { stop: ['HALT', '\n\nEND'] },
    },
  },
  {
    name: 'a tool has to be called',
    says: {
      'openai-chat': { tool_choice: 'required' },
      'openai-responses': { tool_choice: 'required' },
      'anthropic-messages': { tool_choice: { type: 'any' } },
      'workers-ai': { tool_choice: 'required' },
    },
  },
  {
    name: 'one tool has to be called',
    says: {
      'openai-chat': { tool_choice: named('find') },
      'openai-responses': { tool_choice: { type: 'function', name: 'find' } },
      'anthropic-messages': { tool_choice: { type: 'tool', name: 'find' } },
      'workers-ai': { tool_choice: named('find') },
    },
  },
  {
    name: 'no tool may be called',
    says: {
      'openai-chat': { tool_choice: 'none' },
      'openai-responses': { tool_choice: 'none' },
      'anthropic-messages': { tool_choice: { type: 'none' } },
      'workers-ai': { tool_choice: 'none' },
    },
  },
  {
    name: 'one call at a time',
    says: {
      'openai-chat': { parallel_tool_calls: false },
      'openai-responses': { parallel_tool_calls: false },
      'anthropic-messages': { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
      'workers-ai': { parallel_tool_calls: false },
    },
  },
  {
    name: 'a schema for the answer',
    says: {
      'openai-chat': {
        response_format: { type: 'json_schema', json_schema: { name: 'place', schema: '@@schema', strict: true } },
      },
      'openai-responses': {
        text: { format: { type: 'json_schema', name: 'place', schema: '@@schema', strict: true } },
      },
      'anthropic-messages': { output_config: { format: { type: 'json_schema', schema: '@@schema' } } },
      'workers-ai': {
        response_format: { type: 'json_schema', json_schema: { name: 'place', schema: '@@schema', strict: true } },
      },
    },
    sent: {
      'openai-chat': { response_format: { type: 'json_schema', json_schema: { schema } } },
      'openai-responses': { text: { format: { type: 'json_schema', schema } } },
      'anthropic-messages': { output_config: { format: { type: 'json_schema', schema } } },
      'workers-ai': { response_format: { type: 'json_schema', json_schema: { schema } } },
    },
  },
  {
    name: 'JSON of any form',
    says: {
      'openai-chat': { response_format: { type: 'json_object' } },
      'openai-responses': { text: { format: { type: 'json_object' } } },
      'workers-ai': { response_format: { type: 'json_object' } },
    },
  },
  {
    name: 'effort',
    says: {
      'openai-chat': { reasoning_effort: 'high' },
      'openai-responses': { reasoning: { effort: 'high' } },
      'anthropic-messages': { output_config: { effort: 'high' } },
      'workers-ai': { reasoning_effort: 'high' },
    },
  },
  {
    name: 'a budget for thinking',
    says: { 'anthropic-messages': { thinking: { type: 'enabled', budget_tokens: 2_048 }, max_tokens: 9_000 } },
    sent: { 'anthropic-messages': { thinking: { type: 'enabled', budget_tokens: 2_048 } } },
  },
  { name: 'a summary of reasoning', says: { 'openai-responses': { reasoning: { summary: 'auto' } } } },
  {
    name: 'verbosity',
    says: { 'openai-chat': { verbosity: 'low' }, 'openai-responses': { text: { verbosity: 'low' } } },
  },
  {
    name: 'service tier',
    says: { 'openai-chat': { service_tier: 'flex' }, 'openai-responses': { service_tier: 'flex' } },
  },
  {
    name: 'the end user',
    says: {
      'openai-chat': { user: 'user-77' },
      'openai-responses': { user: 'user-77' },
      'anthropic-messages': { metadata: { user_id: 'user-77' } },
    },
  },
  {
    name: 'a cache key',
    says: { 'openai-chat': { prompt_cache_key: 'key-77' }, 'openai-responses': { prompt_cache_key: 'key-77' } },
  },
  {
    name: 'cache retention',
    says: { 'openai-chat': { prompt_cache_retention: '24h' }, 'openai-responses': { prompt_cache_retention: '24h' } },
  },
  { name: 'metadata', says: { 'openai-chat': { metadata: { a: 'b' } }, 'openai-responses': { metadata: { a: 'b' } } } },
  { name: 'more than one answer', says: { 'openai-chat': { n: 2 } } },
  { name: 'a member that nobody knows', says: everywhere({ frobnicate: { deep: [1] } }) },
  { name: 'truncation', says: { 'openai-responses': { truncation: 'auto' } } },
  {
    name: 'tools of an MCP server',
    says: { 'anthropic-messages': { mcp_servers: [{ type: 'url', url: 'https://example.com', name: 'm' }] } },
  },
  { name: 'a container', says: { 'anthropic-messages': { container: 'c_7' } } },
]
