import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Says which browser to take, by its path. */
export const browserVariable = 'INCIPIT_TEST_BROWSER'

/** A Chromium of this machine: what the variable names, else the first of the usual names in the search path. */
export function findBrowser(environment: NodeJS.ProcessEnv): string | undefined {
  const named = environment[browserVariable]
  if (named !== undefined && named !== '') return named
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(canRun)
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
