import type { Dialect } from '@incipit/core'
import type { ConfigReloader } from './config/reload-config.ts'
import type { ReloadReport } from './config/reload-report.ts'
import { resetCache } from './control/cache-reset.ts'
import { reloadNow, showConfigStatus } from './control/config-status.ts'
import type { TokenCounter } from './control/count-tokens.ts'
import { countTokens } from './control/count-tokens.ts'
import { showConsole, showConsoleFile } from './control/console-page.ts'
import { showEngine } from './control/engine-status.ts'
import { eraseEvents } from './control/erase-events.ts'
import { listEvents, showEvent } from './control/events.ts'
import { liveness, readiness } from './control/health.ts'
import { changeKey, createKey, listKeys, revokeKey, rotateKey, showKey } from './control/keys.ts'
import { showKeyInfo, showTeamInfo, showUserInfo } from './control/litellm-info.ts'
import { showMetrics } from './control/metrics-page.ts'
import { listModels, showModel } from './control/models.ts'
import { listPins, removePin } from './control/pins.ts'
import { showPrefixes } from './control/prefixes.ts'
import { listPrices, planPrice } from './control/prices.ts'
import { publishSnapshot } from './control/snapshots.ts'
import { passStoredAnswer } from './control/stored-answers.ts'
import { bookStorage } from './control/storage.ts'
import { summarise } from './control/summary.ts'
import { advanceClock } from './control/test-clock.ts'
import { chatWithUsage, dialects } from './dialects.ts'
import { serveEmbeddings } from './embed/serve-embeddings.ts'
import type { House } from './house.ts'
import type { ErrorRenderer, Exchange } from './http/exchange.ts'
import { header } from './http/exchange.ts'
import type { Handler } from './http/listener.ts'
import type { Route } from './http/router.ts'
import type { Door } from './pipeline.ts'
import { servePrompt } from './pipeline.ts'
import type { TestClock } from './ports/clock.ts'

/** What routes need beyond the house. */
export interface RouteContext {
  /** The house as it is now; a request takes it once, and keeps it. */
  readonly house: () => House
  readonly reloader: ConfigReloader
  readonly report: ReloadReport
  readonly testClock: TestClock | undefined
  readonly closing: () => boolean
}

const chat = dialects['openai-chat']
const responses = dialects['openai-responses']
const messages = dialects['anthropic-messages']
const workersAi = dialects['workers-ai']

/** Every path the gateway answers, the most specific first. */
export function routes(context: RouteContext): Route<Handler>[] {
  const { house } = context
  return [...dataRoutes(house), ...controlRoutes(context), ...pageRoutes(context)]
}

/** Errors of a path that leads nowhere, in the dialect its beginning suggests. */
export function errorFor(path: string): ErrorRenderer {
  if (path.startsWith('/client/v4')) return (error, id) => workersAi.error(error, id)
  if (/^\/(?:v1\/)*messages/.test(path)) return (error, id) => messages.error(error, id)
  return errorForAsker
}

/** Of paths that clients of OpenAI and of Anthropic share: the latter always name their version. */
const errorForAsker: ErrorRenderer = (error, id, request) => {
  return (header(request, 'anthropic-version') === undefined ? chat : messages).error(error, id)
}

function dataRoutes(house: RouteContext['house']): Route<Handler>[] {
  const prompt = (path: string, speaks: Omit<Door, 'path'>): Route<Handler> => {
    const door = { ...speaks, path }
    return speaking('POST', path, door.dialect, async (exchange) => {
      const current = house()
      current.metrics.enter()
      try {
        await servePrompt(exchange, door, current)
      } finally {
        current.metrics.leave()
      }
    })
  }
  const count = (path: string, counter: TokenCounter): Route<Handler> =>
    speaking('POST', path, counter.dialect, (exchange) => countTokens(exchange, counter, house()))
  const stored = (method: string, path: string): Route<Handler> =>
    speaking(method, path, responses, (exchange) => passStoredAnswer(exchange, house()))
  const embeddings = (path: string): Route<Handler> =>
    speaking('POST', path, chat, async (exchange) => {
      const current = house()
      current.metrics.enter()
      try {
        await serveEmbeddings(exchange, path, current)
      } finally {
        current.metrics.leave()
      }
    })
  // A base URL may or may not end in /v1, and some clients add a second one.
  return ['/v1', '', '/v1/v1']
    .flatMap((base) => [
      prompt(`${base}/chat/completions`, chatDoor),
      prompt(`${base}/responses`, { dialect: responses }),
      prompt(`${base}/responses/compact`, { dialect: responses, subpath: '/compact' }),
      count(`${base}/responses/input_tokens`, responsesCounter),
      stored('GET', `${base}/responses/{id}`),
      stored('DELETE', `${base}/responses/{id}`),
      stored('POST', `${base}/responses/{id}/{rest}`),
      stored('GET', `${base}/responses/{id}/{rest}`),
      embeddings(`${base}/embeddings`),
      prompt(`${base}/messages`, { dialect: messages }),
      count(`${base}/messages/count_tokens`, messagesCounter),
    ])
    .concat([
      prompt('/inference/v1/chat/completions', chatDoor),
      prompt('/inference/chat/completions', chatDoor),
      embeddings('/inference/v1/embeddings'),
      embeddings('/client/v4/accounts/{account}/ai/v1/embeddings'),
      prompt('/client/v4/accounts/{account}/ai/v1/chat/completions', { dialect: chatWithUsage }),
      prompt('/client/v4/accounts/{account}/ai/v1/responses', { dialect: responses }),
      prompt('/client/v4/accounts/{account}/ai/run/{model*}', { dialect: workersAi }),
    ])
}

/** Cursor posts a Responses body to the path of Chat and expects chat chunks back. */
const chatDoor: Omit<Door, 'path'> = { dialect: chat, otherwise: responses }

const messagesCounter: TokenCounter = {
  dialect: messages,
  subpath: '/count_tokens',
  render: (tokens) => JSON.stringify({ input_tokens: tokens }),
}

const responsesCounter: TokenCounter = {
  dialect: responses,
  subpath: '/input_tokens',
  render: (tokens) => JSON.stringify({ object: 'response.input_tokens', input_tokens: tokens }),
}

function speaking(
  method: string,
  path: string,
  dialect: Dialect,
  handle: (exchange: Exchange) => Promise<void>,
): Route<Handler> {
  return { method, path, target: { error: (error, id) => dialect.error(error, id), handle } }
}

function controlRoutes({ house, reloader, report, testClock }: RouteContext): Route<Handler>[] {
  const routes = [
    control('GET', '/v1/events', (exchange) => listEvents(exchange, house())),
    control('DELETE', '/v1/events', (exchange) => eraseEvents(exchange, house())),
    control('GET', '/v1/events/{id}', (exchange) => showEvent(exchange, house())),
    control('GET', '/v1/summary', (exchange) => summarise(exchange, house())),
    control('GET', '/v1/prefixes', (exchange) => showPrefixes(exchange, house())),
    control('GET', '/v1/engine', (exchange) => showEngine(exchange, house())),
    control('GET', '/v1/pins', (exchange) => listPins(exchange, house())),
    control('DELETE', '/v1/pins/{id}', (exchange) => removePin(exchange, house())),
    control('POST', '/v1/storage', (exchange) => bookStorage(exchange, house())),
    control('GET', '/v1/prices', (exchange) => listPrices(exchange, house())),
    control('POST', '/v1/price/plan', (exchange) => planPrice(exchange, house())),
    control('POST', '/v1/cache/reset', (exchange) => resetCache(exchange, house())),
    control('POST', '/v1/snapshots', (exchange) => publishSnapshot(exchange, house())),
    control('GET', '/v1/config/status', (exchange) => showConfigStatus(exchange, { house: house(), reloader, report })),
    control('POST', '/admin/reload', (exchange) => reloadNow(exchange, { house: house(), reloader, report })),
    control('POST', '/v1/keys', (exchange) => createKey(exchange, house())),
    control('GET', '/v1/keys', (exchange) => listKeys(exchange, house())),
    control('GET', '/v1/keys/{id}', (exchange) => showKey(exchange, house())),
    control('PATCH', '/v1/keys/{id}', (exchange) => changeKey(exchange, house())),
    control('DELETE', '/v1/keys/{id}', (exchange) => revokeKey(exchange, house())),
    control('POST', '/v1/keys/{id}/rotate', (exchange) => rotateKey(exchange, house())),
    control('GET', '/key/info', (exchange) => showKeyInfo(exchange, house())),
    control('GET', '/user/info', (exchange) => showUserInfo(exchange, house())),
    control('GET', '/team/info', (exchange) => showTeamInfo(exchange, house())),
    control('GET', '/metrics', (exchange) => showMetrics(exchange, house())),
  ]
  for (const base of ['/v1', '', '/v1/v1', '/inference/v1', '/inference', '/client/v4/accounts/{account}/ai/v1']) {
    routes.push(
      control('GET', `${base}/models`, (exchange) => listModels(exchange, house())),
      control('GET', `${base}/models/{id*}`, (exchange) => showModel(exchange, house())),
    )
  }
  if (testClock !== undefined) {
    routes.push(control('POST', '/admin/clock', (exchange) => advanceClock(exchange, house(), testClock)))
  }
  return routes
}

function pageRoutes({ house, closing }: RouteContext): Route<Handler>[] {
  const ready = (exchange: Exchange): Promise<void> => readiness(exchange, house(), closing())
  return [
    ...['/health/liveness', '/health/liveliness', '/healthz', '/livez'].map((path) => control('GET', path, liveness)),
    ...['/health/readiness', '/readyz', '/health'].map((path) => control('GET', path, ready)),
    control('GET', '/', showConsole),
    control('GET', '/console/{file}', showConsoleFile),
  ]
}

function control(method: string, path: string, handle: (exchange: Exchange) => Promise<void>): Route<Handler> {
  return { method, path, target: { error: errorForAsker, handle } }
}
