import { requireAdmin } from '../authenticate/authenticate.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'

/** `GET /metrics`: Prometheus text. With keys configured it asks for an admin's: the counters are of all organisations. */
export async function showMetrics(exchange: Exchange, house: House): Promise<void> {
  requireAdmin(house.keys.authenticate(exchange.request))
  const stats = await house.engine?.stats().catch(() => undefined)
  const text = await house.metrics.render(stats && { stats, modelOf: (instance) => modelOf(instance, house) })
  exchange.response.writeHead(200, { 'content-type': house.metrics.contentType })
  exchange.response.end(text)
}

/** The model that clients know, of one of its instances. */
function modelOf(instance: string, { routes }: House): string {
  return routes.models.find(({ replicas }) => replicas.includes(instance))?.name ?? instance
}
