import type { Hasher } from './hasher.ts'
import { frame, toHex } from './hasher.ts'
import type { OrgId } from './units.ts'

/** What an isolation scope is made of. Each further field can only narrow who shares. */
export interface IsolationFields {
  /** The authenticated organisation: never taken from a client's claim. */
  readonly org: OrgId
  /** `x-prompt-cache-isolation-key` or `prompt_cache_isolation_key`, as the client sent it. */
  readonly isolationKey?: string | undefined
  /** Further narrowing, in order: for example an account of the path, or the snapshot a session began under. */
  readonly narrower?: readonly string[] | undefined
}

/** The secret that keys scopes, and the hasher that computes them. */
export interface ScopePorts {
  readonly hasher: Hasher
  readonly secret: Uint8Array
}

/**
 * Who may share a cached prefix. A required part of every cache key in every layer; equal scopes
 * have equal `key`s, and a key tells nothing about the fields it was made from.
 *
 * @example IsolationScope.of({ org: orgId('acme') }, { hasher, secret })
 */
export class IsolationScope {
  /**
   * Three keyed hashes of 32 hex digits: the organisation, with the isolation key, with all that
   * narrows. So everything of an organisation, or of one isolation key, shares a beginning.
   */
  readonly key: string
  readonly org: OrgId
  /** Two 32-bit numbers that seed fast hashes inside this scope. */
  readonly seed: readonly [number, number]

  private constructor(org: OrgId, key: string) {
    this.org = org
    this.key = key
    this.seed = [Number.parseInt(key.slice(64, 72), 16), Number.parseInt(key.slice(72, 80), 16)]
  }

  static of(fields: IsolationFields, ports: ScopePorts): IsolationScope {
    const levels = [[fields.org], isolationLevel(fields), narrowerLevel(fields)]
    return new IsolationScope(fields.org, levels.map((level) => digest(level, ports)).join(''))
  }

  /**
   * This scope, narrowed once more; everything that selects this scope's organisation or isolation key still does.
   * @example scope.narrowed('snapshot:2', ports)
   */
  narrowed(field: string, ports: ScopePorts): IsolationScope {
    return new IsolationScope(this.org, this.key.slice(0, 64) + digest(['narrowed', this.key, field], ports))
  }

  /**
   * What the `key`s of an organisation, or of one isolation key in it, begin with.
   * @example IsolationScope.prefixOf({ org: orgId('acme') }, ports)
   */
  static prefixOf(fields: Pick<IsolationFields, 'org' | 'isolationKey'>, ports: ScopePorts): string {
    const org = digest([fields.org], ports)
    return fields.isolationKey === undefined ? org : org + digest(isolationLevel(fields), ports)
  }
}

function isolationLevel(fields: IsolationFields): string[] {
  return [fields.org, fields.isolationKey === undefined ? 'shared' : 'isolated', fields.isolationKey ?? '']
}

function narrowerLevel(fields: IsolationFields): string[] {
  return [...isolationLevel(fields), ...(fields.narrower ?? [])]
}

function digest(fields: readonly string[], ports: ScopePorts): string {
  // Truncated to 128 bits: enough where an adversary does not know the secret.
  return toHex(ports.hasher.hmacSha256(ports.secret, frame(['incipit/scope/1', ...fields]))).slice(0, 32)
}
