import { setting } from './place.ts'

/** What can be asked for; the names are those of the API. */
export const filterNames = [
  'model',
  'upstream',
  'provider',
  'verdict',
  'cause',
  'status',
  'kind',
  'org',
  'key',
  'session',
] as const
export type FilterName = (typeof filterNames)[number]

/** The filters of the address. */
export function filters(): Partial<Record<FilterName, string>> {
  return Object.fromEntries(
    filterNames.map((name) => [name, setting(name)]).filter(([, value]) => value !== undefined),
  ) as Partial<Record<FilterName, string>> // exactly the names above
}

/** Changes that take every filter away. */
export const noFilters: Readonly<Record<FilterName, undefined>> = Object.fromEntries(
  filterNames.map((name) => [name, undefined]),
) as Record<FilterName, undefined> // exactly the names above
