/**
 * Whether a promise is settled, either way, after at most `ms` milliseconds of real time. A busy event loop is
 * not held against it.
 * @example if (!(await settlesWithin(answer, 500))) throw new LedgerError('timeout', '...')
 */
export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const overdue = new Promise<boolean>((resolve) => {
    // Messages that arrived while the loop was busy are handled before an immediate, but after timers.
    timer = setTimeout(() => setImmediate(resolve, false), ms)
  })
  const settled = promise.then(
    () => true,
    () => true,
  )
  return Promise.race([settled, overdue]).finally(() => clearTimeout(timer))
}
