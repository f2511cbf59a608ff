import { matchesGlob } from '../route/route.ts'

/** Which endpoints: `data` = prompts, answers, models; `control` = records, prices, keys, settings. */
export type Plane = 'data' | 'control'

/** What a key may be used for. `undefined` = everything. */
export interface Scopes {
  /** Globs of model names, as clients write them. */
  readonly models?: readonly string[] | undefined
  /** Names of upstreams; `engine` is the local one. */
  readonly upstreams?: readonly string[] | undefined
  readonly endpoints?: readonly Plane[] | undefined
}

export const allScopes: Scopes = {}

/** @example mayUseModel({ models: ['gpt-*'] }, 'gpt-5.4') // true */
export function mayUseModel({ models }: Scopes, model: string): boolean {
  return models === undefined || models.some((glob) => matchesGlob(glob, model))
}

/** @example mayUseUpstream({ upstreams: ['claude'] }, 'engine') // false */
export function mayUseUpstream({ upstreams }: Scopes, name: string): boolean {
  return upstreams === undefined || upstreams.includes(name)
}

export function mayAsk({ endpoints }: Scopes, plane: Plane): boolean {
  return endpoints === undefined || endpoints.includes(plane)
}
