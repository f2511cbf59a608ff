import type { Emulator } from 'incipit/emulate'
import { startEmulator } from 'incipit/emulate'
import type { ServerResponse } from 'node:http'
import type { ServerProcess } from '../../benchmarks/support/server-process.ts'
import { startGateway } from './gateway.ts'
import type { RecordingUpstream } from './recording-upstream.ts'
import { startRecordingUpstream } from './recording-upstream.ts'

/** A gateway in front of two emulated providers, one server that only records, and the engine. */
export interface Providers {
  readonly gateway: ServerProcess
  /** Serves `gpt-*`. */
  readonly openai: Emulator
  /** Serves `claude-*`. */
  readonly anthropic: Emulator
  /** Serves `gpt-recorded` to clients of OpenAI and `claude-recorded` to those of Anthropic. */
  readonly recorder: RecordingUpstream
  stop(): Promise<void>
}

/** Where a client's request can go: to its own family, through a translation, to the engine. */
export interface Destination {
  readonly name: string
  readonly model: string
}

/** A picture of one pixel. */
export const pixel: string =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
/** The opening of a PDF. */
export const pdf: string = Buffer.from('%PDF-1.4 a document of a few words').toString('base64')

/**
 * @param more settings of the configuration, such as `keys`
 * @example const providers = await startProviders(); new OpenAI({ baseURL: providers.gateway.url })
 */
export async function startProviders(
  more: {
    readonly config?: string
    readonly engine?: boolean
    readonly flags?: readonly string[]
    /** Names that go to the emulator of OpenAI. */
    readonly openaiModels?: string
  } = {},
): Promise<Providers> {
  const openai = await startEmulator({ kind: 'openai' })
  const anthropic = await startEmulator({ kind: 'anthropic' })
  const recorder = await startRecordingUpstream()
  const settings = (kind: string, models: string): string =>
    `kind: ${kind}, api_key: sk-upstream, models: ["${models}"], max_retries: 0`
  const gateway = await startGateway(
    [
      { name: 'recorded-openai', url: recorder.url, settings: settings('openai', 'gpt-recorded') },
      { name: 'recorded-anthropic', url: recorder.url, settings: settings('anthropic', 'claude-recorded') },
      { name: 'openai', url: openai.url, settings: settings('openai', more.openaiModels ?? 'gpt-*') },
      { name: 'anthropic', url: anthropic.url, settings: settings('anthropic', 'claude-*') },
    ],
    { engine: more.engine ?? true, config: more.config ?? '', flags: more.flags ?? [] },
  )
  return {
    gateway,
    openai,
    anthropic,
    recorder,
    stop: async () => {
      await gateway.stop()
      await Promise.all([openai.close(), anthropic.close(), recorder.close()])
    },
  }
}

/** Begins an answer and never ends it; resolves when whoever asked has gone. */
export function answerForEver(recorder: RecordingUpstream, firstBytes: string): Promise<void> {
  return new Promise((resolve) => {
    recorder.answer = (_request, response: ServerResponse) => {
      response.on('close', resolve)
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(firstBytes)
    }
  })
}

/** The bodies that a provider received, as text, oldest first. */
export function bodiesOf(emulator: Emulator): string[] {
  return emulator.requests().map(({ body }) => body.toString('utf8'))
}

/** A row of the ledger with all that it shows. */
export async function ledgerRow(url: string, id: string | null | undefined, headers: Record<string, string> = {}) {
  const answer = await fetch(`${url}/v1/events/${id}`, { headers })
  return (await answer.json()) as Readonly<Record<string, unknown>> & {
    readonly usage: Readonly<Record<string, number | null>>
    readonly warnings: readonly string[]
    readonly edits: readonly string[]
  } // the API's documented shape
}
