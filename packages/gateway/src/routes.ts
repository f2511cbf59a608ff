import type { Dialect } from '@incipit/core'
import { createOpenaiChat, createWorkersAi } from '@incipit/core'
import { resetCache } from './control/cache-reset.ts'
import { showConsole } from './control/console-page.ts'
import { listEvents, showEvent } from './control/events.ts'
import { liveness, readiness } from './control/health.ts'
import { showMetrics } from './control/metrics-page.ts'
import { listModels, showModel } from './control/models.ts'
import { publishSnapshot } from './control/snapshots.ts'
import { summarise } from './control/summary.ts'
import { advanceClock } from './control/test-clock.ts'
import type { House } from './house.ts'
import type { ErrorRenderer, Exchange } from './http/exchange.ts'
import type { Handler } from './http/listener.ts'
import type { Route } from './http/router.ts'
import { servePrompt } from './pipeline.ts'
import type { TestClock } from './ports/clock.ts'
import { nodeHasher } from './ports/node-hasher.ts'

/** What routes need beyond the house. */
export interface RouteContext {
  readonly house: House
  readonly testClock: TestClock | undefined
  readonly closing: () => boolean
}

const chat = createOpenaiChat({ hasher: nodeHasher })
/** Workers AI's own chat route reports usage in every stream, asked for or not. */
const chatWithUsage = createOpenaiChat({ hasher: nodeHasher, alwaysStreamUsage: true })
const workersAi = createWorkersAi({ hasher: nodeHasher })

/** Every path the gateway answers, the most specific first. */
export function routes(context: RouteContext): Route<Handler>[] {
  const { house } = context
  return [...dataRoutes(house), ...controlRoutes(context), ...pageRoutes(context)]
}

/** Errors of a path that leads nowhere, in the dialect its beginning suggests. */
export function errorFor(path: string): ErrorRenderer {
  const dialect = path.startsWith('/client/v4') ? workersAi : chat
  return (error, id) => dialect.error(error, id)
}

function dataRoutes(house: House): Route<Handler>[] {
  const prompt = (path: string, dialect: Dialect): Route<Handler> => ({
    method: 'POST',
    path,
    target: {
      error: (error, id) => dialect.error(error, id),
      handle: async (exchange) => {
        const leave = house.metrics.enter()
        await servePrompt(exchange, dialect, house).finally(leave)
      },
    },
  })
  // A base URL may or may not end in /v1, and some clients add a second one.
  const chatPaths = ['/v1/chat/completions', '/chat/completions', '/v1/v1/chat/completions']
  return [
    ...chatPaths.map((path) => prompt(path, chat)),
    prompt('/inference/v1/chat/completions', chat),
    prompt('/inference/chat/completions', chat),
    prompt('/client/v4/accounts/{account}/ai/v1/chat/completions', chatWithUsage),
    prompt('/client/v4/accounts/{account}/ai/run/{model*}', workersAi),
  ]
}

function controlRoutes({ house, testClock }: RouteContext): Route<Handler>[] {
  const routes = [
    control('GET', '/v1/events', (exchange) => listEvents(exchange, house)),
    control('GET', '/v1/events/{id}', (exchange) => showEvent(exchange, house)),
    control('GET', '/v1/summary', (exchange) => summarise(exchange, house)),
    control('POST', '/v1/cache/reset', (exchange) => resetCache(exchange, house)),
    control('POST', '/v1/snapshots', (exchange) => publishSnapshot(exchange, house)),
    control('GET', '/metrics', (exchange) => showMetrics(exchange, house)),
  ]
  for (const base of ['/v1', '', '/v1/v1', '/inference/v1', '/inference', '/client/v4/accounts/{account}/ai/v1']) {
    routes.push(
      control('GET', `${base}/models`, (exchange) => listModels(exchange, house)),
      control('GET', `${base}/models/{id*}`, (exchange) => showModel(exchange, house)),
    )
  }
  if (testClock !== undefined) {
    routes.push(control('POST', '/admin/clock', (exchange) => advanceClock(exchange, house, testClock)))
  }
  return routes
}

function pageRoutes({ house, closing }: RouteContext): Route<Handler>[] {
  const ready = (exchange: Exchange): Promise<void> => readiness(exchange, house, closing())
  return [
    ...['/health/liveness', '/health/liveliness', '/healthz', '/livez'].map((path) => control('GET', path, liveness)),
    ...['/health/readiness', '/readyz', '/health'].map((path) => control('GET', path, ready)),
    control('GET', '/', showConsole),
    control('GET', '/console/{file}', showConsole),
  ]
}

function control(method: string, path: string, handle: (exchange: Exchange) => Promise<void>): Route<Handler> {
  return { method, path, target: { error: (error, id) => chat.error(error, id), handle } }
}
