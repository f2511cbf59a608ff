import type { PicoUsd } from '@incipit/core'
import { IncipitError, usd } from '@incipit/core'
import type { Caller, Grant } from '../authenticate/authenticate.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import type { Limits } from '../limits/limits.ts'
import { budgetsOf, noLimits } from '../limits/limits.ts'
import type { Spender } from '../limits/spend-book.ts'
import { endOf } from '../limits/spend-book.ts'
import { spendOf } from './key-spend.ts'

/** A caller known by a key. */
interface Holder extends Caller {
  readonly keyName: string
  readonly grant: Grant
}

/**
 * `GET /key/info`, in the shape of LiteLLM, which tools on desktops read with the key itself: what it may do, what
 * it may spend, and what it has spent. The user of a key is the key, its team the organisation.
 */
export async function showKeyInfo(exchange: Exchange, house: House): Promise<void> {
  const holder = holderOf(exchange, house)
  const asked = exchange.url.searchParams.get('key')
  const isOwn = asked === null || asked === holder.grant.id || house.keys.idOf(asked) === holder.grant.id
  refuseOthers(!isOwn, 'key')
  sendJson(exchange.response, 200, JSON.stringify({ key: holder.grant.id, info: await keyInfo(holder, house) }))
}

/** `GET /user/info`, likewise. */
export async function showUserInfo(exchange: Exchange, house: House): Promise<void> {
  const holder = holderOf(exchange, house)
  const asked = exchange.url.searchParams.get('user_id')
  refuseOthers(asked !== null && asked !== holder.grant.id, 'user_id')
  const info = await keyInfo(holder, house)
  const { id } = holder.grant
  const user = {
    user_id: id,
    user_alias: holder.keyName,
    user_role: holder.role === 'admin' ? 'proxy_admin' : 'internal_user',
    ...pick(info, [...budgetFields, 'models', 'tpm_limit', 'rpm_limit', 'metadata']),
    teams: [holder.org],
  }
  const body = { user_id: id, user_info: user, keys: [{ token: id, ...info }], teams: [await teamInfo(holder, house)] }
  sendJson(exchange.response, 200, JSON.stringify(body))
}

/** `GET /team/info`, likewise. */
export async function showTeamInfo(exchange: Exchange, house: House): Promise<void> {
  const holder = holderOf(exchange, house)
  const asked = exchange.url.searchParams.get('team_id')
  refuseOthers(asked !== null && asked !== holder.org, 'team_id')
  const team = await teamInfo(holder, house)
  const keys = [{ token: holder.grant.id, ...(await keyInfo(holder, house)) }]
  sendJson(exchange.response, 200, JSON.stringify({ team_id: holder.org, team_info: team, keys, team_memberships: [] }))
}

const budgetFields = ['spend', 'max_budget', 'soft_budget', 'budget_duration', 'budget_reset_at']

function holderOf({ request }: Exchange, house: House): Holder {
  const caller = house.keys.authenticate(request, 'any')
  const { grant, keyName } = caller
  if (grant === undefined || keyName === undefined) {
    throw new IncipitError('missing_key', 'this says something of a key of the gateway, and the request carries none')
  }
  return { ...caller, grant, keyName }
}

/** Whether there are others is not said. */
function refuseOthers(isOther: boolean, param: string): void {
  if (isOther) throw new IncipitError('forbidden', 'a key reads what is its own here', { param })
}

async function keyInfo(holder: Holder, house: House): Promise<Record<string, unknown>> {
  const { grant, keyName, org } = holder
  const stored = house.book.get(grant.id)
  const key = stored?.stored.key
  const spender: Spender = { kind: 'key', name: keyName, since: grant.since }
  return {
    key_name: key?.hint ?? null,
    key_alias: keyName,
    ...(await budgetShape(spender, grant.limits, house)),
    expires: instantText(grant.expiresAt),
    models: grant.scopes.models ?? [],
    user_id: grant.id,
    team_id: org,
    tpm_limit: grant.limits.tpm ?? null,
    rpm_limit: grant.limits.rpm ?? null,
    max_parallel_requests: grant.limits.parallel ?? null,
    metadata: key?.metadata ?? {},
    blocked: false,
    created_at: instantText(key?.createdAt),
    updated_at: instantText(key?.updatedAt),
  }
}

async function teamInfo({ org }: Holder, house: House): Promise<Record<string, unknown>> {
  const limits = house.orgLimits.get(org) ?? noLimits
  return {
    team_id: org,
    team_alias: org,
    ...(await budgetShape({ kind: 'org', name: org }, limits, house)),
    models: [],
    tpm_limit: limits.tpm ?? null,
    rpm_limit: limits.rpm ?? null,
    max_parallel_requests: limits.parallel ?? null,
    metadata: {},
    blocked: false,
    members_with_roles: [],
  }
}

/** That shape has one budget: the one of the shortest period, with what was spent in that; without any, what was spent in all. */
async function budgetShape(spender: Spender, limits: Limits, house: House): Promise<Record<string, unknown>> {
  const spent = await spendOf(spender, house)
  const budgets = budgetsOf(limits)
  const hard = budgets.find(({ soft }) => !soft)
  const period = hard?.period ?? budgets[0]?.period ?? 'total'
  const soft = budgets.find((budget) => budget.soft && budget.period === period)
  const end = endOf(period, house.clock.now())
  return {
    spend: dollars(spent[period]),
    max_budget: dollars(hard?.usd),
    soft_budget: dollars(soft?.usd),
    budget_duration: durations[period],
    budget_reset_at: instantText(end),
  }
}

const durations = { day: '1d', month: '1mo', total: null } as const

function instantText(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString()
}

function dollars(amount: PicoUsd | undefined): number | null {
  return amount === undefined ? null : usd(amount)
}

function pick(from: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, from[name]]))
}
