// The bare library, for benchmarks that need a baseline without the cache.
export { modelFile } from './gguf/demo-model.ts'
export type * from './native/contract.ts'
export { loadNative } from './native/load-native.ts'
export { promptTokens } from './template/prompt-tokenizer.ts'
