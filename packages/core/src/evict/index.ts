export { LearningPolicy } from './learning-policy.ts'
export type { LearningPolicyOptions } from './learning-policy.ts'
export { LruPolicy } from './lru-policy.ts'
export type { EvictionPolicy, ChainUse } from './policy.ts'
