import { IncipitError } from '@incipit/core'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import type { ServedModel } from '../route/route.ts'
import { findModel } from '../route/route.ts'

/** `GET /v1/models`: what is served, in the shape of the OpenAI listing. */
export async function listModels(exchange: Exchange, house: House): Promise<void> {
  house.keys.authenticate(exchange.request)
  const data = house.routes.models.flatMap((served) => namesOf(served).map((id) => describe(id, served, house)))
  sendJson(exchange.response, 200, JSON.stringify({ object: 'list', data }))
}

/** `GET /v1/models/{id}` */
export async function showModel(exchange: Exchange, house: House): Promise<void> {
  house.keys.authenticate(exchange.request)
  const id = exchange.params['id'] ?? ''
  const served = findModel(id, { ...house.routes, strictModels: true })
  sendJson(exchange.response, 200, JSON.stringify(describe(id, served, house)))
}

/** @throws IncipitError `unknown_model`; unlike routing, nothing is served by default here */
export function modelNamed(name: string, house: House): ServedModel {
  const served = house.routes.models.find((model) => model.name === name)
  if (served !== undefined) return served
  const known = house.routes.models.map((model) => model.name).join(', ')
  throw new IncipitError('unknown_model', `model "${name.slice(0, 120)}" is not served here; served: ${known}`, {
    param: '/model',
  })
}

function namesOf(served: ServedModel): string[] {
  return [served.name, ...served.aliases.filter((alias) => !alias.includes('*'))]
}

function describe(id: string, served: ServedModel, house: House): Record<string, unknown> {
  const info = house.engine?.models.find((model) => model.name === served.replicas[0])
  return {
    id,
    object: 'model',
    created: 0,
    owned_by: served.upstream,
    incipit: {
      served_by: served.name,
      aliases: served.aliases,
      replicas: served.replicas,
      context_tokens: info?.contextTokens ?? null,
      parameters: info?.parameters ?? null,
      synthetic: info?.synthetic ?? null,
      flash_attention: info?.flashAttention ?? null,
      file_sha256: info?.fileHash ?? null,
    },
  }
}
