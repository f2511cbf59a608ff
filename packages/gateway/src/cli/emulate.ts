import type { Command } from 'commander'
import { Argument, InvalidArgumentError } from 'commander'
import type { EmulatorKind, EmulatorOptions, KeyOwner } from '../emulate/index.ts'
import { emulatorKinds, startEmulator } from '../emulate/index.ts'
import { coloursWanted } from './colours-wanted.ts'
import { renderEmulatorBanner } from './emulator-banner.ts'

interface EmulateFlags extends Omit<EmulatorOptions, 'keys' | 'models'> {
  readonly port: number
  readonly host: string
  readonly json?: boolean
  readonly key?: Readonly<Record<string, KeyOwner>>
  readonly model?: readonly string[]
}

/** Adds `incipit emulate <provider>` to the command line. */
export function registerEmulate(program: Command): void {
  program
    .command('emulate')
    .description('play a provider on this machine, with its cache rules, without a key')
    .addArgument(new Argument('<provider>', 'who is played').choices(emulatorKinds))
    .option('--port <number>', 'port to listen on; 0 = any free one', whole('--port', 0, 65_535), 4142)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--json', 'print the ready line as JSON')
    .option('--key <key=org[/workspace]>', 'accept this key only, for this organisation; repeatable', addKey)
    .option('--model <name>', 'vllm: a served model; repeatable', append)
    .option('--replicas <number>', 'fireworks, workers-ai: how many replicas (4)', whole('--replicas', 1, 1_000))
    .option(
      '--block-size <tokens>',
      'fireworks, workers-ai, vllm: tokens per block (16)',
      whole('--block-size', 1, 100_000),
    )
    .option('--dedicated', 'fireworks: one cache for all callers, as a dedicated deployment')
    .option('--prompt-tokens-details', 'vllm: report cached tokens (--enable-prompt-tokens-details)')
    .option('--zero-data-retention', 'openai: caches stay in memory unless asked otherwise')
    .option(
      '--overflow-rpm <number>',
      'openai: requests per minute before another machine (15)',
      whole('--overflow-rpm', 1, 1e6),
    )
    .option(
      '--max-cache-entries <number>',
      'evict the longest unused beyond (500000)',
      whole('--max-cache-entries', 1, 1e9),
    )
    .option('--no-diagnostics-needs-beta', 'anthropic: diagnostics without its beta header')
    .action((kind: EmulatorKind, flags: EmulateFlags) => runEmulate(kind, flags))
}

/** Starts the emulator and returns once it is ready; SIGINT or SIGTERM ends it. */
async function runEmulate(kind: EmulatorKind, flags: EmulateFlags): Promise<void> {
  const { port, host, json, key, model, ...rest } = flags
  const options = {
    ...rest,
    ...(key === undefined ? {} : { keys: key }),
    ...(model === undefined ? {} : { models: model }),
  }
  const emulator = await startEmulator({ kind, port, host, options })
  const end = (): void => void emulator.close().then(() => process.exit(0))
  process.once('SIGINT', end).once('SIGTERM', end)
  const banner = { kind, url: emulator.url, keys: Object.keys(key ?? {}), colours: coloursWanted() }
  process.stdout.write(
    json === true ? `${JSON.stringify({ event: 'ready', url: emulator.url, kind })}\n` : renderEmulatorBanner(banner),
  )
}

function whole(flag: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN
    if (value >= least && value <= most) return value
    throw new InvalidArgumentError(`${flag} must be a whole number from ${least} to ${most}, got "${text}"`)
  }
}

function addKey(text: string, previous: Readonly<Record<string, KeyOwner>> = {}): Readonly<Record<string, KeyOwner>> {
  const [, key, org, workspace] = /^([^=]+)=([^/]+)(?:\/(.+))?$/.exec(text) ?? []
  // The key is not repeated: it may be a real one.
  if (key === undefined || org === undefined)
    throw new InvalidArgumentError('--key must be KEY=ORG or KEY=ORG/WORKSPACE')
  return { ...previous, [key]: { org, ...(workspace === undefined ? {} : { workspace }) } }
}

function append(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}
