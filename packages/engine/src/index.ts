export * from './engine.ts'
export { loadNative } from './native/load-native.ts'
export { startEngine } from './host/engine-process.ts'
export type { EnginePorts, StartedEngine } from './host/engine-process.ts'
