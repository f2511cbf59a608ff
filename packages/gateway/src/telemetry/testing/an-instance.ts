import type { EngineModelStats } from '@incipit/engine'

/** An instance of a local model that has done nothing yet, but for what is given. */
export function anInstance(name: string, fields: Partial<EngineModelStats>): EngineModelStats {
  return {
    name,
    running: 0,
    queued: 0,
    hotTokens: 0,
    hotHeldTokens: 0,
    hotCapacityTokens: 0,
    ramBytes: 0,
    ramCapacityBytes: 0,
    ramBlocks: 0,
    ramTokens: 0,
    disk: {
      store: undefined,
      bytes: 0,
      capacityBytes: 0,
      blocks: 0,
      tokens: 0,
      restored: 0,
      discarded: 0,
      written: 0,
      read: 0,
      evicted: 0,
      failedWrites: 0,
      off: 'disk_bytes is 0',
    },
    promptTokens: 0,
    queriedTokens: 0,
    cachedTokens: 0,
    tierTokens: { hot: 0, ram: 0, disk: 0 },
    evaluatedTokens: 0,
    generatedTokens: 0,
    evictedTokens: 0,
    prefixCacheOff: undefined,
    pins: { count: 0, tokens: 0, dropped: 0 },
    ...fields,
  }
}
