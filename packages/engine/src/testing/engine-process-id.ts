/** The one child of this process that runs the engine. */
export function engineProcessId(): number {
  const handles = (process as unknown as { _getActiveHandles(): { pid?: number; spawnfile?: string }[] })[
    '_getActiveHandles'
  ]()
  const child = handles.find((handle) => typeof handle.pid === 'number' && handle.spawnfile !== undefined)
  if (child?.pid === undefined) throw new Error('no child process is running')
  return child.pid
}
