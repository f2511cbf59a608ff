import { execFileSync } from 'node:child_process'

/**
 * The engine of a server: the one process that it has started.
 * @throws Error when it has none now
 * @example process.kill(childOf(server.pid), 'SIGSEGV')
 */
export function childOf(pid: number): number {
  const child = childrenOf(pid)[0]
  if (child === undefined) throw new Error(`process ${pid} has no child`)
  return child
}

/** The processes that a process has started and that have not ended. */
export function childrenOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).trim().split('\n')
  const rows = lines.map((line) => line.trim().split(/\s+/))
  return rows.flatMap(([child, parent, state]) =>
    Number(parent) === pid && !state?.startsWith('Z') ? [Number(child)] : [],
  )
}

/** Whether there is a process of this id. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
