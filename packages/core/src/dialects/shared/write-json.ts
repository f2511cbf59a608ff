/** A member of an object to be written: its value as JSON text, or `undefined` to leave it out. */
export type JsonMemberText = readonly [name: string, json: string | undefined]

/**
 * An object in the order given, of values that are JSON text already: what a client wrote is put in as it stands.
 * @example jsonObject([['type', jsonText('text')], ['schema', tool.schemaJson]])
 */
export function jsonObject(members: readonly JsonMemberText[]): string {
  const written: string[] = []
  for (const [name, json] of members) if (json !== undefined) written.push(`${JSON.stringify(name)}:${json}`)
  return `{${written.join(',')}}`
}

/** @example jsonArray(['1', '{}']) // '[1,{}]' */
export function jsonArray(items: readonly string[]): string {
  return `[${items.join(',')}]`
}

/**
 * A value that is no client's JSON; `undefined` stays `undefined`, so that its member is left out.
 * @example jsonText('a "word"')
 */
export function jsonText(value: string | number | boolean): string
export function jsonText(value: string | number | boolean | undefined): string | undefined
export function jsonText(value: string | number | boolean | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value)
}
