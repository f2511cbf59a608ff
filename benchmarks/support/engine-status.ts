import type { ServerProcess } from './server-process.ts'

/** One model in the answer of `GET /v1/engine`, as far as benchmarks read it. */
export interface ModelStatus {
  readonly model: string
  readonly kv_bytes_per_token: number
  readonly prefix_cache_off: string | null
  readonly running: number
  readonly queued: number
  readonly hot: { readonly tokens: number; readonly held_tokens: number; readonly capacity_tokens: number }
  readonly ram: { readonly blocks: number; readonly bytes: number; readonly capacity_bytes: number }
  readonly disk: {
    readonly off: string | null
    readonly store: string | null
    readonly blocks: number
    readonly bytes: number
    readonly capacity_bytes: number
    readonly restored: number
    readonly discarded: number
    readonly written: number
    readonly read: number
    readonly evicted: number
    readonly failed_writes: number
  }
  readonly tokens: {
    readonly prompt: number
    readonly queried: number
    readonly cached: number
    readonly evaluated: number
    readonly generated: number
    readonly evicted: number
  }
}

/** `GET /v1/engine`, as far as benchmarks read it. */
export interface EngineStatus {
  readonly running: number
  readonly queued: number
  readonly resident_bytes: number
  readonly budget_bytes: number
  readonly restarts: number
  readonly models: readonly ModelStatus[]
}

type Gateway = Pick<ServerProcess, 'url'> & { readonly key?: string | undefined }

/**
 * What the engine says of itself.
 * @throws Error with the answer where it is none
 */
export async function engineStatus({ url, key }: Gateway): Promise<EngineStatus> {
  const headers = key === undefined ? undefined : { authorization: `Bearer ${key}` }
  const answer = await fetch(`${url}/v1/engine`, headers === undefined ? {} : { headers })
  if (answer.status !== 200) throw new Error(`GET /v1/engine: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as EngineStatus // as docs/api/engine.md has it
}

/** @throws Error where the engine does not serve it */
export async function modelStatus(gateway: Gateway, model: string): Promise<ModelStatus> {
  const found = (await engineStatus(gateway)).models.find((one) => one.model === model)
  if (found === undefined) throw new Error(`the engine serves no model "${model}"`)
  return found
}

/** Polls until nothing runs, and nothing has been copied or written behind the requests for a while. */
export async function settled(gateway: Gateway): Promise<EngineStatus> {
  const quietMs = 400
  for (let before = ''; ;) {
    const status = await engineStatus(gateway)
    const idle = status.running === 0 && status.queued === 0
    const now = status.models.map(({ ram, disk }) => `${ram.blocks} ${disk.written} ${disk.blocks}`).join()
    if (idle && now === before) return status
    before = now
    await new Promise((resolve) => setTimeout(resolve, quietMs))
  }
}
