import type { Clock } from '@incipit/core'
import { createAnthropic } from './anthropic/create-anthropic.ts'
import type { RecordedRequest } from './emulated-request.ts'
import { EmulatorClock } from './emulator-clock.ts'
import { EmulatorServer } from './emulator-server.ts'
import type { FaultSpec } from './fault.ts'
import { createFireworks } from './fireworks/create-fireworks.ts'
import { createOpenAi } from './openai/create-openai.ts'
import type { EmulatorOptions, Provider } from './provider.ts'
import { createVllm } from './vllm/create-vllm.ts'
import { createWorkersAi } from './workers-ai/create-workers-ai.ts'

/** The providers that can be emulated. */
export type EmulatorKind = 'anthropic' | 'openai' | 'fireworks' | 'workers-ai' | 'vllm'

export interface EmulatorStart {
  readonly kind: EmulatorKind
  /** Any free port unless given. */
  readonly port?: number
  /** Only this machine unless given. */
  readonly host?: string
  /** Where its time comes from: the machine's clock unless given. */
  readonly clock?: Pick<Clock, 'now'>
  readonly options?: EmulatorOptions
}

/** A provider that runs here. */
export interface Emulator {
  readonly kind: EmulatorKind
  readonly url: string
  /** What has been received (the latest 10,000) since the start or the last reset, in order of arrival, with the exact bytes. */
  requests(): readonly RecordedRequest[]
  /** Moves its time, and so every time to live, forward. */
  advance(ms: number): void
  /** Lets the next matching request go wrong. @throws ZodError when the spec is not one */
  fault(spec: FaultSpec): void
  /** As after the start: no cache entries, no records, no faults, no advanced time. */
  reset(): void
  close(): Promise<void>
}

/** Every provider that `startEmulator` knows. */
export const emulatorKinds: readonly EmulatorKind[] = ['anthropic', 'openai', 'fireworks', 'workers-ai', 'vllm']

const creators: Readonly<Record<EmulatorKind, (options: EmulatorOptions) => Provider>> = {
  anthropic: createAnthropic,
  openai: createOpenAi,
  fireworks: createFireworks,
  'workers-ai': createWorkersAi,
  vllm: createVllm,
}

/**
 * Starts a provider on this machine that follows the published cache rules of the real one.
 * @throws the system's error when the address cannot be listened on
 * @example
 * const emulator = await startEmulator({ kind: 'anthropic' })
 * const client = new Anthropic({ baseURL: emulator.url, apiKey: 'test' })
 * emulator.advance(5 * 60_000) // the five-minute entries are gone
 * await emulator.close()
 */
export async function startEmulator(start: EmulatorStart): Promise<Emulator> {
  const clock = new EmulatorClock(start.clock)
  const server = new EmulatorServer(creators[start.kind](start.options ?? {}), clock)
  const url = await server.listen(start.host ?? '127.0.0.1', start.port ?? 0)
  return {
    kind: start.kind,
    url,
    requests: () => server.recorded(),
    advance: (ms) => void clock.advance(ms),
    fault: (spec) => server.faults.add(spec),
    reset: () => server.reset(),
    close: () => server.close(),
  }
}
