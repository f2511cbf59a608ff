import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig } from '../config/load-config.ts'
import { dataDirFinding, memoryFinding, nodeFinding, renderFindings } from './doctor.ts'

test('Node below the floor fails, out of support is a warning, in support is fine', () => {
  const verdicts = ['18.20.0', '20.18.3', '20.19.0', '21.0.0', '22.1.0', '24.11.0'].map(
    (version) => nodeFinding(version).verdict,
  )
  expect(verdicts).toEqual(['failed', 'failed', 'warning', 'warning', 'ok', 'ok'])
})

test('the data directory is written to, and left as it was', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'incipit-doctor-'))
  try {
    expect(await dataDirFinding(join(folder, 'new'))).toMatchObject({ verdict: 'ok' })
    expect(await readdir(join(folder, 'new'))).toEqual([])
    await writeFile(join(folder, 'file'), '')
    expect(await dataDirFinding(join(folder, 'file', 'below'))).toMatchObject({ verdict: 'failed' })
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('budgets above the memory of the machine fail, above what is free are a warning', async () => {
  const { engine } = await loadConfig({ flags: {}, env: {}, cwd: tmpdir() })
  const gibibyte = 2 ** 30
  const verdict = (hotBytes: number, ramBytes: number, enabled = true): string =>
    memoryFinding({ engine: { ...engine, hotBytes, ramBytes, enabled } }, 8 * gibibyte, 4 * gibibyte).verdict
  expect([verdict(gibibyte, gibibyte), verdict(3 * gibibyte, 2 * gibibyte), verdict(gibibyte, 8 * gibibyte)]).toEqual([
    'ok',
    'warning',
    'failed',
  ])
  expect(verdict(gibibyte, 8 * gibibyte, false)).toBe('ok')
})

test('findings are one line each', () => {
  expect(renderFindings([{ check: 'node', verdict: 'ok', detail: '24.11.0' }], false)).toBe(
    'ok       node      24.11.0\n',
  )
})
