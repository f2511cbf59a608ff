/** A route: a method, and a path of literal parts, `{name}` for one part, `{name*}` for the rest. */
export interface Route<Target> {
  readonly method: string
  readonly path: string
  readonly target: Target
}

/** What a method and a path lead to. */
export type RouteMatch<Target> =
  | { readonly kind: 'found'; readonly target: Target; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: 'wrong-method'; readonly allowed: readonly string[] }
  | { readonly kind: 'unknown' }

/**
 * Matches paths against a short table, first match wins. Parts are percent-decoded after splitting, so
 * an encoded slash stays inside its part.
 *
 * @example const router = new Router([{ method: 'GET', path: '/v1/models/{id*}', target: showModel }])
 */
export class Router<Target> {
  readonly #routes: readonly { readonly route: Route<Target>; readonly parts: readonly string[] }[]
  /** Paths of literal parts only, written as they are in the table: found without comparing parts. */
  readonly #literal = new Map<string, RouteMatch<Target>>()

  constructor(routes: readonly Route<Target>[]) {
    this.#routes = routes.map((route) => ({ route, parts: split(route.path) }))
    for (const { method, path } of routes) {
      if (!path.includes('{')) this.#literal.set(`${method} ${path}`, this.#search(method, path))
    }
  }

  match(method: string, path: string): RouteMatch<Target> {
    return this.#literal.get(`${method} ${path}`) ?? this.#search(method, path)
  }

  #search(method: string, path: string): RouteMatch<Target> {
    const seen = split(path)
    const allowed = new Set<string>()
    for (const { route, parts } of this.#routes) {
      const params = bind(parts, seen)
      if (params === undefined) continue
      if (route.method === method) return { kind: 'found', target: route.target, params }
      allowed.add(route.method)
    }
    return allowed.size === 0 ? { kind: 'unknown' } : { kind: 'wrong-method', allowed: [...allowed] }
  }
}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '')
}

function bind(parts: readonly string[], seen: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {}
  for (const [index, part] of parts.entries()) {
    if (part.endsWith('*}')) {
      if (seen.length <= index) return undefined
      return setParam(params, part.slice(1, -2), seen.slice(index).join('/'))
    }
    const value = seen[index]
    if (value === undefined) return undefined
    if (!part.startsWith('{')) {
      if (part !== value) return undefined
    } else if (setParam(params, part.slice(1, -1), value) === undefined) return undefined
  }
  return seen.length === parts.length ? params : undefined
}

function setParam(params: Record<string, string>, name: string, raw: string): Record<string, string> | undefined {
  try {
    params[name] = decodeURIComponent(raw)
    return params
  } catch {
    return undefined
  }
}
