// Measuring: the engine beside the bare library.
export { BareEngine } from './bench/bare-engine.ts'
export type { BareSettings } from './bench/bare-engine.ts'
export { promptOfLength, questionOf, requestOf, sharedTokens } from './bench/prompt-of-length.ts'
export type { SplitPrompt } from './bench/prompt-of-length.ts'
export { spread } from './bench/spread.ts'
export type { Spread } from './bench/spread.ts'
export { benchTiers, measureTiers } from './bench/measure-tiers.ts'
export type { BenchTier, TierBenchOptions, TierReport, TierRow } from './bench/measure-tiers.ts'
