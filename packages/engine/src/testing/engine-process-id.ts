/** The one child of this process that runs the engine. */
export function engineProcessId(): number {
  const [pid] = engineProcessIds()
  if (pid === undefined) throw new Error('no child process is running')
  return pid
}

/** All children of this process that run an engine. */
export function engineProcessIds(): number[] {
  const handles = (process as unknown as { _getActiveHandles(): { pid?: number; spawnfile?: string }[] })[
    '_getActiveHandles'
  ]()
  return handles.flatMap(({ pid, spawnfile }) => (pid === undefined || spawnfile === undefined ? [] : [pid]))
}
