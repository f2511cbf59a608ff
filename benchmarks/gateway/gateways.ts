import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { startServerProcess } from '../support/server-process.ts'
import type { Target } from './client-connection.ts'

/** A gateway under load. */
export interface Gateway {
  readonly target: Target
  /** `undefined` where it is not known, and so neither CPU nor memory. */
  readonly pid: number | undefined
  stop(): Promise<void>
}

const path = '/v1/chat/completions'
const production = { NODE_ENV: 'production' }

/** The baseline: see `bare-proxy.ts`. */
export async function startBare(upstream: string, execArgv: readonly string[]): Promise<Gateway> {
  const program = fileURLToPath(new URL('./bare-proxy.js', import.meta.url))
  const child = spawn(process.execPath, [...execArgv, program, upstream], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...production },
  })
  const exited = new Promise<void>((resolve) => void child.once('exit', () => resolve()))
  const url = await readyUrl(child, exited)
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await exited
  }
  return { target: targetOf('bare', url, []), pid: child.pid, stop }
}

/** Incipit as its users run it, relaying everything to one upstream. */
export async function startIncipit(upstream: string, execArgv: readonly string[]): Promise<Gateway> {
  const config = `engine: { enabled: false }
upstreams:
  - { name: mock, kind: openai, base_url: "${upstream}", api_key: test-key, models: ["*"] }
`
  const server = await startServerProcess({ config, env: production, execArgv })
  return { target: targetOf('incipit', server.url, []), pid: server.pid, stop: () => server.stop() }
}

/**
 * A gateway that runs already, as `name=url` or `name=url,pid`.
 * @throws RangeError for anything else
 * @example runningGateway('portkey=http://127.0.0.1:8787,4711', ['x-portkey-provider: openai'])
 */
export function runningGateway(text: string, headers: readonly string[]): Gateway {
  const [, name, url, pid] = /^([\w.-]+)=(http:\/\/[^,\s]+?)(?:,(\d+))?$/.exec(text) ?? []
  if (name === undefined || url === undefined) {
    throw new RangeError(`--gateway "${text}": allowed is name=http://HOST:PORT[/PATH][,PID]`)
  }
  return {
    target: targetOf(name, url, headers),
    pid: pid === undefined ? undefined : Number(pid),
    stop: async () => {},
  }
}

/** No gateway at all: what the load and the mock take by themselves. */
export function directly(upstream: string): Gateway {
  return { target: targetOf('direct', upstream, []), pid: undefined, stop: async () => {} }
}

function targetOf(name: string, url: string, headers: readonly string[]): Target {
  const { hostname, port, pathname } = new URL(url)
  return {
    name,
    host: hostname,
    port: Number(port === '' ? 80 : port),
    path: pathname.replace(/\/+$/, '') + path,
    headers,
  }
}

async function readyUrl(child: ChildProcess, exited: Promise<void>): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    if (child.stdout === null) throw new Error('started without a pipe for its output')
    createInterface({ input: child.stdout }).on('line', (line) => {
      resolve((JSON.parse(line) as { url: string }).url) // the bare proxy prints nothing but this line
    })
    void exited.then(() => reject(new Error('the bare proxy did not start')))
  })
}
