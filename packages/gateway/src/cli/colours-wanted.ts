import { isatty } from 'node:tty'

/** Colours on a terminal only: not in pipes, not in CI logs, and not where `NO_COLOR` is set. */
export function coloursWanted(descriptor: 1 | 2 = 1): boolean {
  return isatty(descriptor) && process.env['NO_COLOR'] === undefined
}
