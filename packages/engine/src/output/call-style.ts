/** How the chat template of a model writes calls of tools: the same in its prompts and in its answers. */
export interface CallStyle {
  /** Text that begins calls. */
  readonly trigger: string
  /** Around the calls, behind the trigger. */
  readonly open: string
  readonly close: string
  /** Before the name, between name and arguments, behind the arguments. */
  readonly beforeName: string
  readonly beforeArguments: string
  readonly behindArguments: string
  readonly between: string
}

const hermes: CallStyle = {
  trigger: '<tool_call>',
  open: '',
  close: '',
  beforeName: '\n{"name": ',
  beforeArguments: ', "arguments": ',
  behindArguments: '}\n</tool_call>',
  between: '\n<tool_call>',
}

const mistral: CallStyle = {
  trigger: '[TOOL_CALLS]',
  open: '[',
  close: ']',
  beforeName: '{"name": ',
  beforeArguments: ', "arguments": ',
  behindArguments: '}',
  between: ', ',
}

const llama3: CallStyle = {
  trigger: '{"name"',
  open: '',
  close: '',
  beforeName: ': ',
  beforeArguments: ', "parameters": ',
  behindArguments: '}',
  between: '; {"name"',
}

/**
 * The style of a chat template, seen in its source. Templates that know no tools get that of Hermes and Qwen, which
 * our own ChatML template has.
 *
 * @example callStyle(model.facts.chatTemplate ?? '').trigger // '<tool_call>'
 */
export function callStyle(template: string): CallStyle {
  if (template.includes('<tool_call>')) return hermes
  if (template.includes('[TOOL_CALLS]')) return mistral
  if (template.includes('<|start_header_id|>')) return llama3
  return hermes
}
