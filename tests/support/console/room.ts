import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { ServerProcess } from '../../../benchmarks/support/server-process.ts'
import { startBrowser } from './browser.ts'
import type { WatchedPage } from './watched-page.ts'
import { assertQuiet, openWatched } from './watched-page.ts'

/** What the tests of one page of the console have. */
export interface Room<World> {
  readonly browser: Browser
  readonly world: World
  /** Of this test alone. */
  readonly page: Page
}

interface Stoppable {
  readonly gateway: Pick<ServerProcess, 'url'>
  stop(): Promise<void>
}

/**
 * Starts a browser and a world for all tests of a suite, and a page for each; no page may complain, or ask anybody but
 * the gateway for anything. Call it in a suite.
 *
 * @example const room = openRoom(() => startWorld())
 */
export function openRoom<World extends Stoppable>(start: () => Promise<World>): Room<World> {
  const room: { -readonly [Part in keyof Room<World>]?: Room<World>[Part] } = {}
  let watched: WatchedPage | undefined
  beforeAll(async () => {
    ;[room.browser, room.world] = await Promise.all([startBrowser(), start()])
  })
  afterAll(async () => {
    await room.browser?.close()
    await room.world?.stop()
  })
  beforeEach(async () => {
    if (room.browser === undefined) return
    watched = await openWatched(room.browser)
    room.page = watched.page
  })
  afterEach(async () => {
    await room.page?.context().close()
    if (watched !== undefined && room.world !== undefined) assertQuiet(watched, room.world.gateway.url)
  })
  return room as Room<World> // complete in every test
}
