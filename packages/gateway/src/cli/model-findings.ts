import { stat } from 'node:fs/promises'
import type { EngineConfig, EngineModelConfig } from '@incipit/engine'
import { formatByteSize } from '../config/byte-size.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { engineConfig } from '../engine-models.ts'
import type { Finding } from './doctor.ts'

/** Says the bytes of a model's file. @throws Error where the engine would not serve it */
type CheckModel = (config: EngineConfig, model: EngineModelConfig) => number | undefined

/**
 * Whether the engine would take each model: its file and its memory, as at the start of the engine but without loading
 * it. Without the engine only that there is a file.
 *
 * @example await modelFindings(config)
 */
export async function modelFindings(config: Pick<LoadedConfig, 'engine' | 'dataDir'>): Promise<Finding[]> {
  if (!config.engine.enabled) return []
  const check = await checkOfEngine()
  const started = engineConfig(config)
  return Promise.all(
    config.engine.models.map(async ({ name, path, aliases, contextTokens }): Promise<Finding> => {
      const file = path === 'builtin:demo' ? undefined : await stat(path).catch(() => undefined)
      const failed = (why: string): Finding => ({ check: 'models', verdict: 'failed', detail: `${name}: ${why}` })
      if (path !== 'builtin:demo' && file?.isFile() !== true) return failed(`${path} is not a file`)
      try {
        check?.(started, { name, path, aliases, contextTokens })
      } catch (error) {
        return failed((error as Error).message)
      }
      const about = file === undefined ? 'built in, random weights' : `${path}, ${formatByteSize(file.size)}`
      return { check: 'models', verdict: 'ok', detail: `${name}: ${about}` }
    }),
  )
}

/** The engine is an optional dependency; that it is missing is a finding of its own. */
async function checkOfEngine(): Promise<CheckModel | undefined> {
  try {
    return (await import('@incipit/engine')).checkModel
  } catch {
    return undefined
  }
}
