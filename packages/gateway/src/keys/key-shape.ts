import type { EpochMs, PicoUsd } from '@incipit/core'
import { usd } from '@incipit/core'
import type { Limits } from '../limits/limits.ts'
import type { BookedKey } from './key-book.ts'
import type { Scopes } from './scopes.ts'

/** What a key has spent, as far as it is known. */
export type KeySpend = Readonly<Record<'day' | 'month' | 'total', PicoUsd | undefined>>

/** A key of the configuration, as the API shows it. */
export interface ConfiguredKey {
  readonly id: string
  readonly org: string
  readonly name: string
  readonly role: 'member' | 'admin'
  readonly scopes: Scopes
  readonly limits: Limits
  readonly expiresAt: EpochMs | undefined
}

/**
 * A virtual key as the API shows it: everything but the secret.
 * @example sendJson(response, 200, JSON.stringify(keyShape(booked)))
 */
export function keyShape({ stored, lastUsedAt }: BookedKey): Record<string, unknown> {
  const { key, previous } = stored
  return {
    object: 'key',
    source: 'api',
    ...commonShape(key),
    hint: key.hint,
    disabled: key.disabled,
    metadata: key.metadata,
    created_at: instantText(key.createdAt),
    created_by: key.createdBy ?? null,
    updated_at: instantText(key.updatedAt),
    rotated_at: instantText(key.rotatedAt),
    previous_valid_until: instantText(previous?.until),
    last_used_at: instantText(lastUsedAt),
  }
}

/** A key of the configuration: it is changed there. */
export function configuredShape(key: ConfiguredKey): Record<string, unknown> {
  return { object: 'key', source: 'config', ...commonShape(key), disabled: false }
}

/** `null` = not known. */
export function spendShape(spend: KeySpend): Record<string, number | null> {
  const shown = (amount: PicoUsd | undefined): number | null => (amount === undefined ? null : usd(amount))
  return { usd_this_day: shown(spend.day), usd_this_month: shown(spend.month), usd_total: shown(spend.total) }
}

function commonShape({ id, name, org, role, scopes, limits, expiresAt }: ConfiguredKey): Record<string, unknown> {
  return {
    id,
    name,
    org,
    role,
    scopes: {
      models: scopes.models ?? null,
      upstreams: scopes.upstreams ?? null,
      endpoints: scopes.endpoints ?? null,
    },
    limits: limitsShape(limits),
    expires_at: instantText(expiresAt),
  }
}

/** `null` = no limit. */
function limitsShape(limits: Limits): Record<string, number | string | null> {
  return {
    rpm: limits.rpm ?? null,
    tpm: limits.tpm ?? null,
    tpm_counts: limits.tpmCounts,
    parallel: limits.parallel ?? null,
    usd_per_day: limits.usdPerDay ?? null,
    usd_per_month: limits.usdPerMonth ?? null,
    usd_total: limits.usdTotal ?? null,
    soft_usd_per_day: limits.softUsdPerDay ?? null,
    soft_usd_per_month: limits.softUsdPerMonth ?? null,
    soft_usd_total: limits.softUsdTotal ?? null,
  }
}

function instantText(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString()
}
