import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/**
 * CPU time all present threads of a process have used, from the scheduler's own nanosecond counts.
 * Its child processes are not in it.
 * @throws Error where the process has ended, or the kernel has no `schedstat`
 * @example const before = cpuNanoseconds(server.pid)
 */
export function cpuNanoseconds(pid: number): number {
  let total = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    total += threadNanoseconds(`/proc/${pid}/task/${thread}/schedstat`)
  }
  if (total === 0) throw new Error(`/proc/${pid}/task/*/schedstat counts nothing: CPU time needs Linux with schedstat`)
  return total
}

/** A thread may end between the listing and the reading. */
function threadNanoseconds(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8').split(' ', 1)[0])
  } catch {
    return 0
  }
}

/** Resident memory of a process in bytes: now, and the most it ever had. */
export interface ResidentBytes {
  readonly now: number
  readonly most: number
}

/** @example residentBytes(server.pid).most */
export function residentBytes(pid: number): ResidentBytes {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytes = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024
  return { now: bytes('VmRSS'), most: bytes('VmHWM') }
}

/** What a core has done since boot, in the kernel's ticks. */
export interface CoreTicks {
  readonly busy: number
  readonly total: number
}

/** One entry per core, in their order. */
export function coreTicks(): CoreTicks[] {
  const lines = readFileSync('/proc/stat', 'utf8').match(/^cpu\d+ .*$/gm) ?? []
  return lines.map((line) => {
    // user nice system idle iowait irq softirq steal; guests are already in user.
    const ticks = line.split(/\s+/).slice(1, 9).map(Number)
    const total = ticks.reduce((sum, count) => sum + count, 0)
    return { busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0), total }
  })
}

/**
 * Puts all threads of a process on one core; threads they start later stay there too.
 * @returns false where `taskset` is missing or refuses
 * @example pinToCore(process.pid, 1)
 */
export function pinToCore(pid: number, core: number): boolean {
  return spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' }).status === 0
}
