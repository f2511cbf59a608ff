import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

/** A gateway running as its users run it: the compiled command line in a process of its own. */
export interface ServerProcess {
  readonly url: string
  readonly pid: number
  readonly dataDir: string
  /** All that it has printed and logged so far. */
  readonly output: () => string
  /** Asks for a graceful end and waits for it. */
  stop(): Promise<void>
  /** Kills without warning and waits; the data directory stays. */
  kill(): Promise<void>
}

/** What a server is started with. */
export interface ServerOptions {
  readonly flags?: readonly string[]
  /** Text of a configuration file. */
  readonly config?: string
  /** An existing data directory: kept by `stop`. */
  readonly dataDir?: string
  readonly env?: Readonly<Record<string, string>>
  /** Flags of Node itself, such as `--cpu-prof`. */
  readonly execArgv?: readonly string[]
}

/**
 * Starts `incipit serve` on a free port, with a fresh data directory that `stop` removes.
 * @throws Error with what the command printed when it does not become ready
 * @example const server = await startServerProcess({ flags: ['--model', 'model.gguf'] })
 */
export async function startServerProcess(options: ServerOptions = {}): Promise<ServerProcess> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'incipit-test-'))
  const child = spawn(process.execPath, [...(options.execArgv ?? []), ...commandLine(options, dataDir)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Whoever runs tests may have keys of providers in their environment: no test is to find and use them.
    env: { ...process.env, INCIPIT_DISCOVERY: 'off', ...options.env },
  })
  const printed: string[] = []
  child.stderr.on('data', (chunk: Buffer) => void printed.push(chunk.toString()))
  const exited = new Promise<void>((resolve) => void child.once('exit', () => resolve()))
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      printed.push(line)
      const ready = readyUrl(line)
      if (ready !== undefined) resolve(ready)
    })
    void exited.then(() => reject(new Error(`the server did not start:\n${printed.join('\n')}`)))
  })
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    child.kill(signal)
    await exited
  }
  const stop = async (): Promise<void> => {
    await end('SIGTERM')
    if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true })
  }
  return { url, pid: child.pid ?? 0, dataDir, output: () => printed.join('\n'), stop, kill: () => end('SIGKILL') }
}

function commandLine({ flags = [], config }: ServerOptions, dataDir: string): string[] {
  // Test runners may resolve packages to their sources; the command line runs compiled.
  const main = join(dirname(createRequire(import.meta.url).resolve('incipit')), '../dist/cli/main.js')
  const always = [main, 'serve', '--port', '0', '--data-dir', dataDir, '--log-level', 'warn', '--json']
  if (config === undefined) return [...always, ...flags]
  const file = join(dataDir, 'incipit.yaml')
  writeFileSync(file, config)
  return [...always, '--config', file, ...flags]
}

function readyUrl(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined
  const parsed = JSON.parse(line) as { event?: string; url?: string } // our own ready line
  return parsed.event === 'ready' ? parsed.url : undefined
}
