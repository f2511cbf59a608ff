import { syntheticModel, modelShapes } from '@incipit/engine/synthetic'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig } from '../config/load-config.ts'
import { modelFindings } from './model-findings.ts'

test('what serve would refuse of a model fails: a file that is cut short, and a KV budget below one context', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'incipit-model-findings-'))
  try {
    const whole = syntheticModel(modelShapes.tiny, folder)
    const cut = join(folder, 'cut.gguf')
    await writeFile(cut, (await readFile(whole)).subarray(0, -1_000))
    const { engine, dataDir } = await loadConfig({ flags: {}, env: {}, cwd: folder })
    const found = async (path: string, hotBytes: 'auto' | number = 'auto'): Promise<string[]> => {
      const models = [
        { name: 'm', path, aliases: [], contextTokens: undefined, instances: 1, rules: 'native' as const },
      ]
      const findings = await modelFindings({ engine: { ...engine, hotBytes, models }, dataDir })
      return findings.map(({ verdict, detail }) => `${verdict} ${detail}`)
    }
    expect(await found(whole)).toEqual([expect.stringMatching(/^ok m: .*tiny/)])
    expect(await found('builtin:demo')).toEqual(['ok m: built in, random weights'])
    expect(await found(cut)).toEqual([expect.stringMatching(/^failed m: .*it is cut short$/)])
    expect(await found(join(folder, 'absent'))).toEqual([`failed m: ${join(folder, 'absent')} is not a file`])
    expect(await found('builtin:demo', 4_096)).toEqual([
      expect.stringMatching(/^failed m: model "m".* bytes of KV, 4096 allowed \(engine\.hot_bytes\)$/),
    ])
  } finally {
    await rm(folder, { recursive: true })
  }
})
