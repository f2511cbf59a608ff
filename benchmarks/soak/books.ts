import type { EngineStatus, ModelStatus } from '../support/engine-status.ts'

/** What clients were told, added up over all requests of a model. */
export interface ToldTokens {
  /** Of prompts that were answered, or were left when the answer had begun. */
  readonly prompt: number
  readonly cached: number
  /** Requests whose client left: some of them were counted by the engine alone. */
  readonly left: number
}

/**
 * What is wrong in the books of an engine that has nothing to do any more; empty = all is well.
 * @example wrongInBooks(status, new Map([['demo', { prompt: 1_000, cached: 500, left: 0 }]]))
 */
export function wrongInBooks(status: EngineStatus, told: ReadonlyMap<string, ToldTokens>): string[] {
  const wrong: string[] = []
  if (status.running + status.queued > 0) wrong.push(`${status.running} run and ${status.queued} wait`)
  if (status.restarts > 0) wrong.push(`the engine was restarted ${status.restarts} times`)
  for (const model of status.models) {
    const say = [...capacities(model), ...diskBooks(model), ...tokenBooks(model, told.get(model.model))]
    wrong.push(...say.map((text) => `${model.model}: ${text}`))
  }
  return wrong
}

function capacities({ hot, ram, disk }: ModelStatus): string[] {
  return [
    ...(hot.held_tokens > 0 ? [`${hot.held_tokens} cells are held by nobody`] : []),
    ...(hot.tokens > hot.capacity_tokens ? [`${hot.tokens} hot tokens, ${hot.capacity_tokens} allowed`] : []),
    ...(ram.bytes > ram.capacity_bytes ? [`${ram.bytes} bytes in RAM, ${ram.capacity_bytes} allowed`] : []),
    ...(disk.bytes > disk.capacity_bytes ? [`${disk.bytes} bytes on disk, ${disk.capacity_bytes} allowed`] : []),
  ]
}

function diskBooks({ disk }: ModelStatus): string[] {
  if (disk.off !== null) return [`there is no disk tier: ${disk.off}`]
  const expected = disk.restored + disk.written - disk.evicted - disk.discarded
  return [
    ...(disk.failed_writes > 0 ? [`${disk.failed_writes} writes to disk failed`] : []),
    ...(disk.discarded > 0 ? [`${disk.discarded} blocks on disk were damaged`] : []),
    ...(disk.blocks === expected ? [] : [`${disk.blocks} blocks on disk, ${expected} by what was written and evicted`]),
  ]
}

function tokenBooks({ tokens }: ModelStatus, told: ToldTokens | undefined): string[] {
  if (told === undefined) return tokens.prompt === 0 ? [] : ['prompts were evaluated that nobody asked']
  const gone = tokens.prompt - told.prompt
  const extra = tokens.evaluated - (tokens.prompt - tokens.cached)
  return [
    ...(tokens.cached > tokens.prompt ? [`${tokens.cached} of ${tokens.prompt} tokens cached`] : []),
    ...(gone < 0 || (gone > 0 && told.left === 0)
      ? [`${tokens.prompt} prompt tokens, clients were told ${told.prompt}`]
      : []),
    ...(extra < 0 || (extra > 0 && told.left === 0)
      ? [`${tokens.evaluated} tokens evaluated, ${tokens.prompt - tokens.cached} were not cached`]
      : []),
    ...(tokens.cached < told.cached ? [`${tokens.cached} cached tokens, clients were told ${told.cached}`] : []),
  ]
}
