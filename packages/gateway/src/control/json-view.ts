/** A value as JSON has it; `null` = not known. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonView

/** An object as JSON has it. */
export interface JsonView {
  readonly [name: string]: JsonValue
}

/**
 * A part of a whole; `null` while there is no whole.
 * @example ratio(1, 4) // 0.25
 */
export function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}

/**
 * The values of a view side by side, named by their path; lists are left out.
 * @example flatView({ cost: { read: 1 }, bands: [1, 2] }) // { cost_read: 1 }
 */
export function flatView(view: JsonView, path = ''): Record<string, string | number | boolean | null> {
  const flat: Record<string, string | number | boolean | null> = {}
  for (const [name, value] of Object.entries(view)) {
    if (isList(value)) continue
    if (typeof value === 'object' && value !== null) Object.assign(flat, flatView(value, `${path}${name}_`))
    else flat[path + name] = value
  }
  return flat
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}
