/** How our own models are told of tools; also those whose template has no place for tools. */
export const chatmlTools: string = `{{- '# Tools\\nCall a function by answering with <tool_call>{"name": ..., "arguments": ...}</tool_call>.\\n<tools>\\n' -}}
    {%- for tool in tools -%}{{- tool | tojson -}}{{- '\\n' -}}{%- endfor -%}
    {{- '</tools>' -}}`

/**
 * The ChatML chat template: of our own models, and of files that bring none. Tools come first in the
 * system block and the system text behind them, before all messages: what changes least comes first,
 * and a longer conversation only appends: calls stand where an answer would begin.
 */
export const chatmlTemplate: string = `{%- set first = messages[0] if messages else none -%}
{%- set with_system = first and first.role == 'system' -%}
{%- if tools or with_system -%}
  {{- '<|im_start|>system\\n' -}}
  {%- if tools -%}
    ${chatmlTools}
    {%- if with_system -%}{{- '\\n\\n' -}}{%- endif -%}
  {%- endif -%}
  {%- if with_system -%}{{- first.content -}}{%- endif -%}
  {{- '<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in (messages[1:] if with_system else messages) -%}
  {{- '<|im_start|>' + message.role + '\\n' -}}
  {%- if message.role == 'tool' -%}
    {{- '<tool_response>\\n' + message.content + '\\n</tool_response>' -}}
  {%- else -%}
    {{- message.content -}}
    {%- for call in message.tool_calls or [] -%}
      {%- if message.content or not loop.first -%}{{- '\\n' -}}{%- endif -%}
      {{- '<tool_call>\\n{"name": ' + (call.function.name | tojson) + ', "arguments": ' -}}
      {{- call.function.arguments if call.function.arguments is string else call.function.arguments | tojson -}}
      {{- '}\\n</tool_call>' -}}
    {%- endfor -%}
  {%- endif -%}
  {{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
`
