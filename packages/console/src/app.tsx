import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { keyRefused } from './api/access-key.ts'
import { Cache } from './cache/cache.tsx'
import { Events } from './events/events.tsx'
import { Overview } from './overview/overview.tsx'
import { Banner } from './shell/banner.tsx'
import { Header } from './shell/header.tsx'
import { KeyForm } from './shell/key-form.tsx'
import { place } from './state/place.ts'

const pages = {
  overview: { title: 'Overview', Page: Overview },
  events: { title: 'Spend → Events', Page: Events },
  cache: { title: 'Cache', Page: Cache },
}

/** The console: a header, and one page. */
export function App(): JSX.Element {
  const { title, Page } = pages[place.value.view]
  useEffect(() => {
    document.title = `${title} · Incipit`
  }, [title])
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to content
      </a>
      <Header />
      <main id="main" tabIndex={-1}>
        <h1 class="hidden">{title}</h1>
        <Banner />
        {keyRefused.value ? <KeyForm /> : <Page />}
      </main>
    </>
  )
}

/** The part of an address behind # is where the page keeps its settings: it cannot be a target too. */
function skip(event: MouseEvent): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}
