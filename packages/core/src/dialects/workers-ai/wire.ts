/*
 * Workers AI `POST /client/v4/accounts/{account_id}/ai/run/{model}`. The envelope around results and
 * errors is that of the whole Cloudflare API; that `ai/run` wraps its answers in it is [U].
 */

/** Switches of a request that make another context. */
export const profileFields: readonly string[] = [
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'reasoning_effort',
  'chat_template_kwargs',
  'lora',
  'raw',
]

export interface WireError {
  readonly success: false
  readonly errors: readonly [
    {
      readonly code: number
      readonly message: string
      /** Beyond the API: JSON pointer of the offending value, where there is one. */
      readonly param?: string
      /** Beyond the API: finds the request in the log. */
      readonly request_id: string
    },
  ]
  readonly result: null
  readonly messages: readonly []
}
