/**
 * Puts all of a list behind another one. A spread call takes each element as an argument, and more than some hundred
 * thousand of those overflow the stack: whatever a client can make long goes through here.
 *
 * @example appendAll(warnings, leftOver(part, known))
 */
export function appendAll<T>(list: T[], more: readonly T[]): void {
  for (const one of more) list.push(one)
}
