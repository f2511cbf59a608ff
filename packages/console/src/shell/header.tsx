import type { JSX } from 'preact'
import { accessKey, forgetKey } from '../api/access-key.ts'
import { live, refreshes, visible } from '../state/attention.ts'
import { hrefOf, place } from '../state/place.ts'
import { switchTheme, theme } from '../state/theme.ts'
import { Health } from './health.tsx'

/** What belongs to one page only does not go with the user to the other. */
const ofOnePage = { event: undefined, cursor: undefined, kind: undefined, node: undefined, local: undefined }

/** Name, pages, state of the gateway, and what holds for all pages. */
export function Header(): JSX.Element {
  const { view } = place.value
  return (
    <header class="top">
      <div class="top-row">
        <a class="brand" href={hrefOf('overview', ofOnePage)}>
          Incipit
        </a>
        <nav aria-label="Pages of the console">
          <a href={hrefOf('overview', ofOnePage)} aria-current={view === 'overview' ? 'page' : undefined}>
            Overview
          </a>
          <a href={hrefOf('events', ofOnePage)} aria-current={view === 'events' ? 'page' : undefined}>
            Spend → Events
          </a>
          <a href={hrefOf('cache', ofOnePage)} aria-current={view === 'cache' ? 'page' : undefined}>
            Cache
          </a>
        </nav>
        <Health />
        <div class="top-tools">
          <LiveSwitch />
          <button type="button" onClick={() => void (refreshes.value += 1)}>
            Refresh
          </button>
          <button type="button" onClick={switchTheme}>
            {theme.value === 'dark' ? 'Light' : 'Dark'}
          </button>
          {accessKey.value !== undefined && (
            <button type="button" onClick={forgetKey}>
              Forget key
            </button>
          )}
        </div>
      </div>
    </header>
  )
}

function LiveSwitch(): JSX.Element {
  return (
    <button
      type="button"
      aria-pressed={live.value}
      title="Ask for new numbers every few seconds while this tab is seen"
      onClick={() => {
        live.value = !live.value
      }}
    >
      <span class={live.value && visible.value ? 'dot on' : 'dot'} aria-hidden="true" /> Live
    </button>
  )
}
