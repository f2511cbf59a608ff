import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { formatByteSize } from '../config/byte-size.ts'
import type { Environment } from '../config/environment-references.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import type { Finding } from './doctor.ts'

const patienceMs = 2_000

/** Bytes on the disk of the data directory. */
export interface DiskSpace {
  readonly free: number
  /** What blocks take there by now. */
  readonly blocks: number
}

/**
 * Whether the disk tier works and has room for its budget. What lies there already is a part of the budget.
 * @example await diskFinding(config)
 */
export async function diskFinding(
  { engine, dataDir }: Pick<LoadedConfig, 'engine' | 'dataDir'>,
  look: (dataDir: string) => Promise<DiskSpace> = spaceOf,
): Promise<Finding> {
  const off = (verdict: Finding['verdict'], why: string): Finding => ({
    check: 'disk',
    verdict,
    detail: `tier off: ${why}`,
  })
  if (!engine.enabled) return off('ok', 'engine.enabled is false')
  if (engine.diskBytes === 0) return off('ok', 'engine.disk_bytes is 0')
  if (engine.ramBytes === 0) return off('warning', 'engine.ram_bytes is 0, and blocks reach the disk through RAM')
  const folder = join(dataDir, 'kv')
  try {
    const { free, blocks } = await look(dataDir)
    const short = engine.diskBytes - blocks - free
    const detail = `tier of ${formatByteSize(engine.diskBytes)} in ${folder}, ${formatByteSize(blocks)} there by now; ${formatByteSize(free)} free`
    if (short <= 0) return { check: 'disk', verdict: 'ok', detail }
    return { check: 'disk', verdict: 'warning', detail: `${detail}, ${formatByteSize(short)} short of its budget` }
  } catch (error) {
    return off('warning', `${folder} cannot be used: ${(error as Error).message}`)
  }
}

async function spaceOf(dataDir: string): Promise<DiskSpace> {
  const { bavail, bsize } = await statfs(dataDir)
  return { free: bavail * bsize, blocks: await blockBytes(join(dataDir, 'kv')) }
}

/** What the stores of blocks take; their files have holes. */
async function blockBytes(folder: string): Promise<number> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const sizes = await Promise.all(
    names.map(async (name) => {
      const states = await stat(join(folder, name, 'states')).catch(() => undefined)
      return states === undefined ? 0 : Math.min(states.size, 512 * states.blocks)
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Of the answer to `GET /v1/engine` what is shown here. */
const engineView: z.ZodType<EngineView> = z.object({
  object: z.literal('engine'),
  resident_bytes: z.number(),
  budget_bytes: z.number(),
  models: z.array(
    z.object({
      model: z.string(),
      prefix_cache_off: z.string().nullable(),
      // A gateway of an earlier version does not tell.
      template: z.object({ family: z.string(), warnings: z.array(z.object({ text: z.string() })) }).nullish(),
      hot: z.object({ bytes: z.number().nullable(), capacity_bytes: z.number().nullable() }),
      ram: z.object({ bytes: z.number(), capacity_bytes: z.number() }),
      disk: z.object({
        off: z.string().nullable(),
        store: z.string().nullable(),
        bytes: z.number(),
        capacity_bytes: z.number(),
      }),
    }),
  ),
})

interface EngineView {
  readonly resident_bytes: number
  readonly budget_bytes: number
  readonly models: readonly {
    readonly model: string
    readonly prefix_cache_off: string | null
    readonly template?:
      | { readonly family: string; readonly warnings: readonly { readonly text: string }[] }
      | null
      | undefined
    readonly hot: { readonly bytes: number | null; readonly capacity_bytes: number | null }
    readonly ram: { readonly bytes: number; readonly capacity_bytes: number }
    readonly disk: {
      readonly off: string | null
      readonly store: string | null
      readonly bytes: number
      readonly capacity_bytes: number
    }
  }[]
}

/**
 * What the engine of a running gateway uses of its budgets: of the one that the configuration describes, or the one
 * at INCIPIT_URL. INCIPIT_KEY is the key of an admin.
 *
 * @example await tierFindings(config, process.env)
 */
export async function tierFindings(
  { server, engine }: Pick<LoadedConfig, 'server' | 'engine'>,
  env: Environment,
): Promise<Finding[]> {
  if (!engine.enabled) return []
  const url = (env['INCIPIT_URL'] ?? addressOf(server)).replace(/\/+$/, '')
  const ok = (detail: string): Finding[] => [{ check: 'tiers', verdict: 'ok', detail }]
  let response: Response
  try {
    response = await fetch(`${url}/v1/engine`, {
      headers: authorization(env['INCIPIT_KEY']),
      signal: AbortSignal.timeout(patienceMs),
    })
  } catch {
    return ok(`what is used is not known: no gateway answers at ${url}`)
  }
  if (response.status === 401 || response.status === 403) {
    return ok(`what is used is not known: the gateway at ${url} tells an admin only; set INCIPIT_KEY`)
  }
  const answer: unknown = await response.json().catch(() => undefined)
  const engineAnswer = engineView.safeParse(answer)
  if (engineAnswer.success) return usageFindings(engineAnswer.data, url)
  const said = z.object({ error: z.object({ message: z.string() }) }).safeParse(answer)
  const why = said.success ? said.data.error.message : 'it is none that is known here'
  return [{ check: 'tiers', verdict: 'warning', detail: `the gateway at ${url} answered ${response.status}: ${why}` }]
}

/** @example usageFindings(await response.json(), url)[0].detail // 'http://127.0.0.1:4141: 412 MiB of 1.4 GiB resident' */
export function usageFindings({ resident_bytes, budget_bytes, models }: EngineView, url: string): Finding[] {
  const sizes = (used: number, allowed: number): string => `${formatByteSize(used)} of ${formatByteSize(allowed)}`
  const whole: Finding = {
    check: 'tiers',
    verdict: 'ok',
    detail: `${url}: ${sizes(resident_bytes, budget_bytes)} resident`,
  }
  const stores = new Map<string, string>()
  const ofModels = models.map(({ model, prefix_cache_off, hot, ram, disk }): Finding => {
    const parts = [
      `hot ${hot.bytes === null || hot.capacity_bytes === null ? 'not known' : sizes(hot.bytes, hot.capacity_bytes)}`,
      `ram ${sizes(ram.bytes, ram.capacity_bytes)}`,
    ]
    const sharedWith = disk.store === null ? undefined : stores.get(disk.store)
    if (disk.store !== null) stores.set(disk.store, sharedWith ?? model)
    if (disk.off !== null) parts.push(`disk off: ${disk.off}`)
    else if (sharedWith === undefined) parts.push(`disk ${sizes(disk.bytes, disk.capacity_bytes)}`)
    else parts.push(`disk shared with ${sharedWith}`)
    if (prefix_cache_off !== null) parts.push(`prefix cache off: ${prefix_cache_off}`)
    const isWanted = disk.off === null || disk.off === 'disk_bytes is 0'
    const verdict = isWanted && prefix_cache_off === null ? 'ok' : 'warning'
    return { check: 'tiers', verdict, detail: `${model}: ${parts.join(', ')}` }
  })
  return [whole, ...ofModels, ...models.flatMap(templateFindings)]
}

/** What the chat template of a model does to prefixes. */
function templateFindings({ model, template }: EngineView['models'][number]): Finding[] {
  if (template === undefined || template === null) return []
  if (template.warnings.length === 0) {
    return [{ check: 'template', verdict: 'ok', detail: `${model}: ${template.family}, prefixes stay as they are` }]
  }
  return template.warnings.map(({ text }) => ({ check: 'template', verdict: 'warning', detail: `${model}: ${text}` }))
}

function authorization(key: string | undefined): Record<string, string> {
  return key === undefined || key === '' ? {} : { authorization: `Bearer ${key}` }
}

/** Where a gateway with these settings is met on this machine. */
function addressOf({ host, port }: LoadedConfig['server']): string {
  const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }
  const shown = everywhere[host] ?? (host.includes(':') ? `[${host}]` : host)
  return `http://${shown}:${port}`
}
