export * from './openai-chat/index.ts'
export * from './workers-ai/index.ts'
