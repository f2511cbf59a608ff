import { readFileSync } from 'node:fs'
import pino from 'pino'
import { expect, test } from 'vitest'
import { noTracing } from '../tracing.ts'
import { openTelemetry } from './open-telemetry.ts'

function listening() {
  const lines: string[] = []
  return { log: pino({ base: null }, { write: (line: string) => void lines.push(line) }), lines }
}

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }

test('without an endpoint no package is loaded, and following a prompt is nothing', async () => {
  const { log, lines } = listening()
  const load = (name: string): Promise<never> => Promise.reject(new Error(`${name} was loaded`))
  expect(await openTelemetry({ env: {}, log, orgLabel: false, load })).toBe(noTracing)
  expect(lines).toEqual([])
})

test('packages that are missing are named with the command that installs them, and the server goes on', async () => {
  const { log, lines } = listening()
  const load = (name: string): Promise<unknown> =>
    name.includes('sdk-') ? Promise.reject(new Error(`Cannot find package '${name}'`)) : import(name)
  expect(await openTelemetry({ env: endpoint, log, orgLabel: false, load })).toBe(noTracing)
  expect(lines).toHaveLength(1)
  const command = /npm install ((?:@[\w/-]+@[\d.]+ ?)+)/.exec(lines[0] ?? '')?.[1]?.split(' ')
  expect(command).toHaveLength(7)
  const page = readFileSync(new URL('../../../../../docs/telemetry.md', import.meta.url), 'utf8')
  for (const part of command ?? []) expect(page).toContain(part)
  expect(lines[0]).toContain("Cannot find package '@opentelemetry/sdk-trace'")
})

test('every package that may be loaded is an optional peer, and none is a dependency', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    readonly dependencies: Record<string, string>
    readonly peerDependencies: Record<string, string>
    readonly peerDependenciesMeta: Record<string, { readonly optional: boolean }>
  }
  const source = readFileSync(new URL('packages.ts', import.meta.url), 'utf8')
  for (const [, name] of source.matchAll(/from '(@opentelemetry\/[a-z-]+)'/g)) {
    expect(manifest.peerDependenciesMeta[name ?? '']).toEqual({ optional: true })
  }
  expect(Object.keys(manifest.peerDependencies).sort()).toEqual(Object.keys(manifest.peerDependenciesMeta).sort())
  expect(Object.keys(manifest.dependencies).filter((name) => name.startsWith('@opentelemetry/'))).toEqual([])
})
