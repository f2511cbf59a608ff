import { IncipitError } from '@incipit/core'
import type { DialectName } from '@incipit/core'

/** Where requests of one replica go. */
export interface Endpoint {
  /** Scheme, host and port. */
  readonly origin: string
  /** Path below which everything lies, without a version and without a slash at its end. */
  readonly root: string
  /** Path of the version, `/v1` unless the base URL named another one. */
  readonly version: string
}

/**
 * Takes a base URL as people write it: with or without `/v1` (or `/v4`, `/v1beta`), with or without a slash
 * at the end, or with the path of a whole route.
 *
 * @throws TypeError when it is no URL
 * @example endpointOf('https://api.openai.com/v1/') // { origin: 'https://api.openai.com', root: '', version: '/v1' }
 */
export function endpointOf(baseUrl: string): Endpoint {
  const url = new URL(baseUrl)
  const path = url.pathname.replace(/\/+$/, '').replace(/\/(?:chat\/completions|responses|messages)$/, '')
  const versioned = /^(.*?)(\/v\d+(?:(?:alpha|beta)\d*)?)(?:\/v\d+)?$/.exec(path)
  return { origin: url.origin, root: versioned?.[1] ?? path, version: versioned?.[2] ?? '/v1' }
}

/**
 * The path of a prompt at an endpoint. Workers AI's own route lies beside its version and names the model.
 * @throws IncipitError `invalid_request` on a model that would lead elsewhere
 * @example promptPath(endpoint, 'openai-chat', 'chat/completions', 'gpt-6-sol') // '/v1/chat/completions'
 */
export function promptPath(endpoint: Endpoint, dialect: DialectName, path: string, model: string): string {
  if (dialect !== 'workers-ai') return `${endpoint.root}${endpoint.version}/${path}`
  const parts = model.split('/')
  // Whoever normalises the path, encoded dots included, would go up: to all that the credential opens.
  if (parts.some(isDots)) {
    throw new IncipitError('invalid_request', 'model has a part that is nothing but dots', { param: '/model' })
  }
  return `${endpoint.root}/${path}/${parts.map(encodeModelPart).join('/')}`
}

function isDots(part: string): boolean {
  return /^(?:\.|%2e){1,2}$/i.test(part)
}

/** `@cf/...` stays as it is documented. */
function encodeModelPart(part: string): string {
  return encodeURIComponent(part).replaceAll('%40', '@')
}
