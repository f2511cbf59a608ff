import { closeSync, openSync } from 'node:fs'

/**
 * Tells whether the terminal this process began in is gone. SIGHUP means two things: whoever sends it to
 * a service wants the configuration read again, a terminal that closes wants its programs to end.
 *
 * @example const hungUp = watchTerminal()
 */
export function watchTerminal(isThere: () => boolean = hasTerminal): () => boolean {
  const began = isThere()
  return () => began && !isThere()
}

/** The controlling terminal can be opened under this name by whoever has one. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
