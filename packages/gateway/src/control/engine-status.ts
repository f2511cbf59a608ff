import type { EngineModelInfo, EngineModelStats, TemplateReport } from '@incipit/engine'
import { requireAdmin } from '../authenticate/authenticate.ts'
import { requireEngine } from '../call/require-engine.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import type { JsonView } from './json-view.ts'

/** `GET /v1/engine`: what the local engine uses of its budgets, tier by tier. Admins only: it is of all organisations. */
export async function showEngine(exchange: Exchange, house: House): Promise<void> {
  requireAdmin(house.keys.authenticate(exchange.request))
  const engine = requireEngine(house)
  const { models, running, queued, residentBytes, budgetBytes, otherStores, restarts } = await engine.stats()
  const view: JsonView = {
    object: 'engine',
    running,
    queued,
    resident_bytes: residentBytes,
    budget_bytes: budgetBytes,
    other_stores:
      otherStores === undefined
        ? null
        : {
            stores: otherStores.stores,
            bytes: otherStores.bytes,
            dropped: otherStores.dropped,
            dropped_bytes: otherStores.droppedBytes,
          },
    restarts,
    models: models.map((stats) => modelView(stats, infoOf(stats.name, engine.models))),
  }
  sendJson(exchange.response, 200, JSON.stringify(view))
}

function infoOf(name: string, infos: readonly EngineModelInfo[]): EngineModelInfo | undefined {
  return infos.find((info) => info.name === name)
}

function templateView({ family, warnings, notes }: TemplateReport): JsonView {
  return {
    family,
    warnings: warnings.map(({ kind, atToken, text }) => ({ kind, at_token: atToken ?? null, text })),
    notes,
  }
}

function modelView(stats: EngineModelStats, info: EngineModelInfo | undefined): JsonView {
  const { disk } = stats
  const bytesOf = (tokens: number): number | null => (info === undefined ? null : tokens * info.kvBytesPerToken)
  return {
    model: stats.name,
    context_tokens: info?.contextTokens ?? null,
    kv_bytes_per_token: info?.kvBytesPerToken ?? null,
    prefix_cache_off: stats.prefixCacheOff ?? null,
    template: info === undefined ? null : templateView(info.template),
    running: stats.running,
    queued: stats.queued,
    hot: {
      tokens: stats.hotTokens,
      held_tokens: stats.hotHeldTokens,
      capacity_tokens: stats.hotCapacityTokens,
      bytes: bytesOf(stats.hotTokens),
      capacity_bytes: bytesOf(stats.hotCapacityTokens),
    },
    ram: {
      blocks: stats.ramBlocks,
      tokens: stats.ramTokens ?? null,
      bytes: stats.ramBytes,
      capacity_bytes: stats.ramCapacityBytes,
    },
    disk: {
      off: disk.off ?? null,
      store: disk.store ?? null,
      blocks: disk.blocks,
      tokens: disk.tokens ?? null,
      bytes: disk.bytes,
      capacity_bytes: disk.capacityBytes,
      restored: disk.restored,
      discarded: disk.discarded,
      written: disk.written,
      read: disk.read,
      evicted: disk.evicted,
      failed_writes: disk.failedWrites,
    },
    tokens: {
      prompt: stats.promptTokens,
      queried: stats.queriedTokens,
      cached: stats.cachedTokens,
      cached_hot: stats.tierTokens.hot,
      cached_ram: stats.tierTokens.ram,
      cached_disk: stats.tierTokens.disk,
      evaluated: stats.evaluatedTokens,
      generated: stats.generatedTokens,
      evicted: stats.evictedTokens,
    },
    pins: { count: stats.pins.count, tokens: stats.pins.tokens, dropped: stats.pins.dropped },
  }
}
