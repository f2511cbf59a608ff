import type { ServerProcess } from '../../benchmarks/support/server-process.ts'
import { startServerProcess } from '../../benchmarks/support/server-process.ts'

/** One upstream of a test's configuration: `settings` is YAML flow text, such as `kind: openai, models: ["*"]`. */
export interface TestUpstream {
  readonly name: string
  /** Left out where the settings name replicas. */
  readonly url?: string
  readonly settings: string
}

/**
 * Starts a gateway in front of upstreams on this machine, without the engine unless `more` asks for it.
 * @example const gateway = await startGateway([{ name: 'oa', url: emulator.url, settings: 'kind: openai, api_key: sk-test' }])
 */
export async function startGateway(
  upstreams: readonly TestUpstream[],
  more: {
    readonly config?: string
    readonly engine?: boolean
    readonly flags?: readonly string[]
    readonly dataDir?: string
  } = {},
): Promise<ServerProcess> {
  const rows = upstreams.map(({ name, url, settings }) => {
    const address = url === undefined ? '' : `base_url: "${url}", `
    return `  - { name: ${name}, ${address}${settings} }`
  })
  const engine = more.engine === true ? '' : 'engine: { enabled: false }\n'
  const config = `${engine}${more.config ?? ''}\nupstreams:\n${rows.join('\n')}\n`
  return startServerProcess({
    config,
    ...(more.flags === undefined ? {} : { flags: more.flags }),
    ...(more.dataDir === undefined ? {} : { dataDir: more.dataDir }),
  })
}
