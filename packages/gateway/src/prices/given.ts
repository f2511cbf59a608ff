/**
 * Without the fields that are not there.
 * @example given({ from: '2026-11-01', until: undefined }) // { from: '2026-11-01' }
 */
export function given<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  // An object of the entries that are left has fewer keys, and no value that is undefined.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as typeof fields
}
