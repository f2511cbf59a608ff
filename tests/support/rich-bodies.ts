import type { DialectName } from '@incipit/core'

/** Schema in an order, and in a spelling, that no sorting and no re-serialising would give. */
export const oddSchema =
  '{ "type":"object", "required":["zone"], "properties":{"zone":{"type":"string"},"at":{"type":"number","minimum":1.0},"10":{"type":"null"},"9":{}} }'

/** Arguments as a model once wrote them. */
export const oddArguments = '{"zone": "Z\\u00fcrich", "at" :1.0, "10":null}'

const tools = (form: (name: string) => string): string =>
  ['zeta', 'alpha', 'Mid', 'beta_2', 'beta_10'].map(form).join(' ,\n')

const chatTools = tools(
  (name) => `{"function":{"parameters":${oddSchema},"description":"Does ${name}.","name":"${name}"},"type":"function"}`,
)
const chatMessages = `[
  {"role":"system","content":"You are terse. \\u00e9\\ud83d\\ude00"},
  {"role":"user","content":[{"type":"text","text":"Look at this."},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]},
  {"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"zeta","arguments":${JSON.stringify(oddArguments)}}}]},
  {"role":"tool","tool_call_id":"call_1","content":"rain"},
  {"role":"user","content":"And now?"}
]`

/** One body of each dialect with tools, instructions, an image, a call and its result; models and limits are open. */
export const richBodies: Readonly<Record<Exclude<DialectName, 'gemini'>, (model: string, limit: string) => string>> = {
  'openai-chat': (model, limit) =>
    `{"temperature":0.50,"messages":${chatMessages},"tools":[${chatTools}],"max_completion_tokens":${limit},"model":"${model}","tool_choice":"auto","response_format":{"type":"json_schema","json_schema":{"strict":true,"name":"out","schema":${oddSchema}}}}`,
  'openai-responses': (model, limit) => `{"input":[
    {"role":"user","content":[{"type":"input_text","text":"Look at this."},{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo="}]},
    {"type":"function_call","call_id":"call_1","name":"zeta","arguments":${JSON.stringify(oddArguments)}},
    {"type":"function_call_output","call_id":"call_1","output":"rain"},
    {"role":"user","content":"And now?"}],
    "tools":[${tools((name) => `{"type":"function","parameters":${oddSchema},"name":"${name}","description":"Does ${name}.","strict":false}`)}],
    "instructions":"You are terse.","max_output_tokens":${limit},"model":"${model}","store":false}`,
  'anthropic-messages': (model, limit) => `{"messages":[
    {"role":"user","content":[{"type":"text","text":"Look at this."},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]},
    {"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"zeta","input":${oddArguments}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"rain"},{"type":"text","text":"And now?","cache_control":{"type":"ephemeral"}}]}],
    "tools":[${tools((name) => `{"input_schema":${oddSchema},"name":"${name}","description":"Does ${name}."}`)}],
    "system":[{"type":"text","text":"You are terse.","cache_control":{"type":"ephemeral","ttl":"1h"}}],"max_tokens":${limit},"model":"${model}"}`,
  'workers-ai': (_, limit) => `{"messages":${chatMessages},"tools":[${chatTools}],"max_tokens":${limit}}`,
}
