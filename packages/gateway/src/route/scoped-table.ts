import type { RouteTable } from './route.ts'

const scoped = new WeakMap<RouteTable, WeakMap<readonly string[], RouteTable>>()

/**
 * The part of a table that a key may reach. Made once for each list: what is remembered of a table stays with it.
 * @example scopedTable(table, ['claude', 'engine'])
 */
export function scopedTable(table: RouteTable, upstreams: readonly string[]): RouteTable {
  const parts = scoped.get(table) ?? new WeakMap<readonly string[], RouteTable>()
  scoped.set(table, parts)
  const known = parts.get(upstreams)
  if (known !== undefined) return known
  const part: RouteTable = {
    ...table,
    models: upstreams.includes('engine') ? table.models : [],
    upstreams: table.upstreams.filter(({ name }) => upstreams.includes(name)),
  }
  parts.set(upstreams, part)
  return part
}
