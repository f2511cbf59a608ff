export { modelShapes, syntheticModel } from './gguf/synthetic-model.ts'
export type { ModelShape } from './gguf/dense-model.ts'
