export { createAiBinding } from './ai-binding.ts'
export type { AiAnswer, AiBinding, AiBindingOptions, AiRawRunOptions, AiRunOptions } from './ai-binding.ts'
export { AiBindingError } from './ai-binding-error.ts'
export type { AiInputs, AiMessage, AiResult, AiStreamInputs, AiTool, AiToolCall, AiUsage } from './ai-types.ts'
