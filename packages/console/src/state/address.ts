/** The pages of the console. */
export const views = ['overview', 'events', 'cache'] as const
export type View = (typeof views)[number]

/** Where the user is: page and settings, all of it in the address, so that the address can be sent to others. */
export interface Place {
  readonly view: View
  readonly settings: Readonly<Record<string, string>>
}

/** @example readPlace('#/events?model=demo') // { view: 'events', settings: { model: 'demo' } } */
export function readPlace(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const view = views.find((name) => name === path) ?? 'overview'
  return { view, settings: Object.fromEntries(new URLSearchParams(query)) }
}

/** The other way round; settings in a fixed order, so that equal places have equal addresses. */
export function hashOf({ view, settings }: Place): string {
  const sorted = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1))
  const query = new URLSearchParams(sorted).toString()
  return `#/${view === 'overview' ? '' : view}${query === '' ? '' : `?${query}`}`
}
