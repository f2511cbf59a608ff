/** A trace cannot be read. The message says in which line, what was expected, and what is there. */
export class TraceError extends Error {
  override readonly name = 'TraceError'
}
