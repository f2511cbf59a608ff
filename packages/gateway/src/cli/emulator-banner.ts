import pc from 'picocolors'
import type { EmulatorKind } from '../emulate/index.ts'
import { version } from './version.ts'

/** What the banner of an emulator tells about. */
export interface EmulatorBanner {
  readonly kind: EmulatorKind
  readonly url: string
  /** The accepted keys; none = any. */
  readonly keys: readonly string[]
  readonly colours: boolean
}

interface Lines {
  readonly base: string
  readonly exports: readonly string[]
  readonly path: string
  readonly headers: readonly string[]
  readonly body: unknown
}

/**
 * What `incipit emulate` prints once it is ready: lines to paste.
 * @example renderEmulatorBanner({ kind: 'anthropic', url: 'http://127.0.0.1:4142', keys: [], colours: false })
 */
export function renderEmulatorBanner({ kind, url, keys, colours }: EmulatorBanner): string {
  const { bold, cyan, dim } = pc.createColors(colours)
  const key = keys.length === 0 ? 'test' : 'YOUR_KEY'
  const { base, exports, path, headers, body } = linesByKind[kind]
  const filled = (text: string): string => text.replace('{url}', `${url}${base}`).replace('{key}', key)
  const line = (label: string, text: string): string => `  ${dim(label.padEnd(9))} ${text}`
  const [first = '', ...others] = exports.map((text) => filled(`export ${text}`))
  const lines = [
    `${bold(`incipit ${version}`)} plays ${bold(kind)} at ${cyan(url)}`,
    '',
    line('Base URL', `${url}${base}`),
    line('Set', first),
    ...others.map((text) => line('', text)),
    line('Keys', keys.length === 0 ? 'any; each is an organisation of its own' : `${keys.length}, as given with --key`),
    line(
      'Try',
      `curl ${url}${path} ${[...headers, 'content-type: application/json'].map((header) => `-H '${filled(header)}'`).join(' ')} \\`,
    ),
    line('', `  -d '${JSON.stringify(body)}'`),
    line('Control', `POST ${url}/admin/clock {"advance_ms": 300000}; /admin/{faults,requests,cache,reset}`),
    '',
  ]
  return `${lines.join('\n')}\n`
}

const messages = [{ role: 'user', content: 'hello' }]
const openAiExports = ['OPENAI_BASE_URL={url}', 'OPENAI_API_KEY={key}']
const bearer = ['authorization: Bearer {key}']

const linesByKind: Readonly<Record<EmulatorKind, Lines>> = {
  anthropic: {
    base: '',
    exports: ['ANTHROPIC_BASE_URL={url}', 'ANTHROPIC_API_KEY={key}'],
    path: '/v1/messages',
    headers: ['x-api-key: {key}', 'anthropic-version: 2023-06-01'],
    body: { model: 'claude-opus-5', max_tokens: 64, messages },
  },
  openai: {
    base: '/v1',
    exports: openAiExports,
    path: '/v1/chat/completions',
    headers: bearer,
    body: { model: 'gpt-5.6-sol', messages },
  },
  fireworks: {
    base: '/inference/v1',
    exports: openAiExports,
    path: '/inference/v1/chat/completions',
    headers: bearer,
    body: { model: 'accounts/fireworks/models/kimi-k2p6', messages },
  },
  'workers-ai': {
    base: '/client/v4/accounts/test/ai/v1',
    exports: openAiExports,
    path: '/client/v4/accounts/test/ai/run/@cf/moonshotai/kimi-k2.6',
    headers: bearer,
    body: { messages },
  },
  vllm: {
    base: '/v1',
    exports: openAiExports,
    path: '/v1/chat/completions',
    headers: bearer,
    body: { model: 'emulated', messages },
  },
}
