import type { UpstreamSettings } from '../../config/upstream-settings.ts'

/** An upstream of the kind `openai` on a port where nobody listens, with every setting at its default. */
export const aSettings: UpstreamSettings = {
  name: 'upstream',
  kind: 'openai',
  provider: undefined,
  baseUrl: 'http://127.0.0.1:9',
  replicas: [],
  accountId: undefined,
  apiKey: 'sk-test',
  apiKeys: [],
  orgKeys: {},
  credentials: 'configured',
  models: ['*'],
  modelNames: {},
  speaks: undefined,
  isolation: undefined,
  affinityHeader: undefined,
  stripBillingBlock: 'auto',
  headers: {},
  traceContext: false,
  timeouts: { connectMs: 2_000, firstByteMs: 5_000, idleMs: 5_000 },
  maxRetries: 2,
  maxAnswerBytes: 2 ** 20,
  maxConnections: 8,
  proxy: undefined,
  caFile: undefined,
}
