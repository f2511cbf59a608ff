import type { EpochMs } from '@incipit/core'
import { epochMs, IncipitError } from '@incipit/core'
import type { Caller } from '../authenticate/authenticate.ts'
import { requireAdmin } from '../authenticate/authenticate.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import type { KeyPatch, Minted } from '../keys/change-key.ts'
import { changedKey, newKey, rotatedKey } from '../keys/change-key.ts'
import type { BookedKey } from '../keys/key-book.ts'
import { nameTaken } from '../keys/key-book.ts'
import type { ConfiguredKey } from '../keys/key-shape.ts'
import { configuredShape, keyShape, spendShape } from '../keys/key-shape.ts'
import { allScopes } from '../keys/scopes.ts'
import { noLimits } from '../limits/limits.ts'
import { controlBody } from './control-body.ts'
import { keyPatchSchema, newKeySchema, rotationSchema } from './key-bodies.ts'
import { spendOf } from './key-spend.ts'

const defaultLimit = 100
const maxLimit = 1_000
const knownParameters = ['org', 'limit', 'after']

/** `POST /v1/keys`: makes a key and shows it, once. Admins only. */
export async function createKey(exchange: Exchange, house: House): Promise<void> {
  const caller = adminOf(exchange, house)
  const body = await controlBody(exchange.request, newKeySchema)
  if (house.keys.hasName(body.name)) throw nameTaken(body.name)
  const now = house.clock.now()
  const expiresAt = futureOf(body.expires_at, now)
  const minted = newKey({ ...body, expiresAt }, { now, by: caller.keyName })
  const booked = await house.book.add(minted.stored)
  const { id, name, org, role } = booked.stored.key
  house.log.info({ key_id: id, name, org, role, by: caller.keyName }, 'a virtual key was made')
  sendSecret(exchange, 201, booked, minted)
}

/** `GET /v1/keys?org=&limit=&after=`: those of the configuration, then the others, the oldest first. Admins only. */
export async function listKeys(exchange: Exchange, house: House): Promise<void> {
  adminOf(exchange, house)
  const query = exchange.url.searchParams
  checkParameters(query)
  const limit = limitFrom(query.get('limit'))
  const org = query.get('org')
  const after = query.get('after')
  const rows = [
    ...house.keys.configured.map((key) => ({ id: key.id, org: key.org, shape: () => configuredShape(key) })),
    ...house.book.all().map((key) => {
      const { id, org } = key.stored.key
      return { id, org, shape: () => keyShape(key) }
    }),
  ]
  const start = after === null ? 0 : rows.findIndex(({ id }) => id === after) + 1
  if (after !== null && start === 0) throw unknownKeyId('after')
  const asked = rows.slice(start).filter((row) => org === null || row.org === org)
  const page = asked.slice(0, limit)
  const next = asked.length > limit ? (page.at(-1)?.id ?? null) : null
  sendJson(
    exchange.response,
    200,
    JSON.stringify({ object: 'list', data: page.map(({ shape }) => shape()), next_after: next }),
  )
}

/** `GET /v1/keys/{id}`: with what it has spent. Admins only. */
export async function showKey(exchange: Exchange, house: House): Promise<void> {
  adminOf(exchange, house)
  const id = exchange.params['id'] ?? ''
  const configured = house.keys.configured.find((key) => key.id === id)
  const booked = configured === undefined ? bookedKey(exchange, house) : undefined
  const shape = booked === undefined ? configuredShape(configured ?? absent()) : keyShape(booked)
  const name = configured?.name ?? booked?.stored.key.name ?? ''
  const since = booked?.stored.key.createdAt
  const spent = await spendOf({ kind: 'key', name, since }, house)
  sendJson(exchange.response, 200, JSON.stringify({ ...shape, spent: spendShape(spent) }))
}

/** `PATCH /v1/keys/{id}`: what is in effect when this is answered. Admins only. */
export async function changeKey(exchange: Exchange, house: House): Promise<void> {
  const caller = adminOf(exchange, house)
  const body = await controlBody(exchange.request, keyPatchSchema)
  const { stored, revision } = bookedKey(exchange, house)
  if (body.name !== undefined && house.keys.hasName(body.name)) throw nameTaken(body.name)
  const { expires_at: expires, scopes, limits, ...rest } = body
  const patch: KeyPatch = {
    ...withoutAbsent(rest),
    ...(scopes === undefined ? {} : { scopes: scopes ?? allScopes }),
    ...(limits === undefined ? {} : { limits: limits ?? noLimits }),
    ...(expires === undefined ? {} : { expiresAt: expires === null ? undefined : epochMs(expires) }),
  }
  const booked = await house.book.replace(changedKey(stored, patch, house.clock.now()), revision)
  const changed = Object.keys(patch)
  house.log.info({ key_id: stored.key.id, changed, by: caller.keyName }, 'a virtual key was changed')
  sendJson(exchange.response, 200, JSON.stringify(keyShape(booked)))
}

/** `POST /v1/keys/{id}/rotate {"grace_seconds": 0}`: another secret, shown once. Admins only. */
export async function rotateKey(exchange: Exchange, house: House): Promise<void> {
  const caller = adminOf(exchange, house)
  const { grace_seconds: grace } = await controlBody(exchange.request, rotationSchema)
  const { stored, revision } = bookedKey(exchange, house)
  const minted = rotatedKey(stored, grace, house.clock.now())
  const booked = await house.book.replace(minted.stored, revision)
  const by = caller.keyName
  house.log.info({ key_id: stored.key.id, grace_seconds: grace, by }, 'a virtual key was rotated')
  sendSecret(exchange, 200, booked, minted)
}

/** `DELETE /v1/keys/{id}`: the key is refused from now on, for good. Its events stay. Admins only. */
export async function revokeKey(exchange: Exchange, house: House): Promise<void> {
  const caller = adminOf(exchange, house)
  const { stored, revision } = bookedKey(exchange, house)
  const { id, name } = stored.key
  await house.book.revoke(id, revision)
  house.log.info({ key_id: id, name, by: caller.keyName }, 'a virtual key was revoked')
  sendJson(exchange.response, 200, JSON.stringify({ object: 'key', id, name, deleted: true }))
}

function adminOf({ request }: Exchange, house: House): Caller {
  const caller = house.keys.authenticate(request)
  requireAdmin(caller)
  return caller
}

function bookedKey({ params }: Exchange, house: House): BookedKey {
  const id = params['id'] ?? ''
  const booked = house.book.get(id)
  if (booked !== undefined) return booked
  if (house.keys.configured.some((key) => key.id === id)) {
    throw new IncipitError('conflict', 'the key stands in the configuration, and is changed there', { param: 'id' })
  }
  throw unknownKeyId('id')
}

function unknownKeyId(param: string): IncipitError {
  return new IncipitError('not_found', 'there is no key with this id', { param })
}

function absent(): ConfiguredKey {
  throw unknownKeyId('id')
}

function sendSecret({ response }: Exchange, status: number, booked: BookedKey, { secret }: Minted): void {
  response.setHeader('cache-control', 'no-store')
  sendJson(response, status, JSON.stringify({ ...keyShape(booked), key: secret }))
}

function futureOf(expires: number | null | undefined, now: EpochMs): EpochMs | undefined {
  if (expires === null || expires === undefined) return undefined
  if (expires > now) return epochMs(expires)
  const message = `/expires_at is ${new Date(expires).toISOString()}, and it is ${new Date(now).toISOString()} already`
  throw new IncipitError('invalid_request', message, { param: '/expires_at' })
}

function withoutAbsent<Fields extends object>(
  fields: Fields,
): Partial<{ [Name in keyof Fields]: NonNullable<Fields[Name]> }> {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(present) as Partial<{ [Name in keyof Fields]: NonNullable<Fields[Name]> }> // of the same fields
}

function checkParameters(query: URLSearchParams): void {
  for (const name of query.keys()) {
    // A key may be presented in the address, too.
    if (knownParameters.includes(name) || name === 'key') continue
    const message = `there is no parameter "${name.slice(0, 60)}"; known: ${knownParameters.join(', ')}`
    throw new IncipitError('invalid_request', message, { param: name.slice(0, 60) })
  }
}

function limitFrom(text: string | null): number {
  const limit = text === null ? defaultLimit : /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
  if (limit >= 1 && limit <= maxLimit) return limit
  throw new IncipitError('invalid_request', `limit is "${text?.slice(0, 20)}", allowed are 1 to ${maxLimit}`, {
    param: 'limit',
  })
}
