import type { JsonObject } from './json.ts'

/**
 * The members of an object as text in which their order does not matter; inside them it does.
 * @example inAnyOrder({ b: 1, a: { d: 1, c: 2 } }) // '[["a",{"d":1,"c":2}],["b",1]]'
 */
export function inAnyOrder(value: JsonObject): string {
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
