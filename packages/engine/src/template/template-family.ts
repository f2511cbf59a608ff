import { chatmlTemplate } from '../gguf/chatml.ts'

/** Families of chat templates, by the marks that they put around turns. */
export type TemplateFamily =
  | 'chatml'
  | 'llama-3'
  | 'qwen'
  | 'gemma'
  | 'mistral'
  | 'harmony'
  | 'deepseek'
  | 'none of those known'

const marks: readonly (readonly [mark: RegExp, family: TemplateFamily])[] = [
  [/<\|start_header_id\|>/, 'llama-3'],
  [/<start_of_turn>/, 'gemma'],
  [/\[INST\]/, 'mistral'],
  [/<\|channel\|>/, 'harmony'],
  [/<[｜|]Assistant[｜|]>/, 'deepseek'],
]

/**
 * The family of a template, for people to read: nothing depends on it.
 * @example templateFamily(model.facts.chatTemplate) // 'qwen'
 */
export function templateFamily(source: string = chatmlTemplate): TemplateFamily {
  const found = marks.find(([mark]) => mark.test(source))
  if (found !== undefined) return found[1]
  if (!source.includes('<|im_start|>')) return 'none of those known'
  return source !== chatmlTemplate && source.includes('<tool_call>') ? 'qwen' : 'chatml'
}
