import type { ComponentChildren, JSX } from 'preact'
import type { Pin } from '../api/engine.ts'
import { lengthText, shareOf } from '../format/amounts.ts'
import { Count, Moment } from '../parts/values.tsx'

const titles = ['model', 'organisation', 'tokens', 'read by', 'life left', 'pinned'] as const
const numbers: ReadonlySet<string> = new Set(['tokens', 'read by'])

/** Pins with the life they have left. On a narrow screen each becomes a card; roles say that it is a table all the same. */
export function PinTable({ pins, remove }: { pins: readonly Pin[]; remove: (pin: Pin) => void }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Pinned prefixes">
      <table class="cards" role="table">
        <thead role="rowgroup">
          <tr role="row">
            {titles.map((title) => (
              <th key={title} scope="col" role="columnheader" class={numbers.has(title) ? 'number' : undefined}>
                {title}
              </th>
            ))}
            <th scope="col" role="columnheader">
              <span class="hidden">what to do</span>
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {pins.map((pin) => (
            <PinRow key={pin.id} pin={pin} remove={() => remove(pin)} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function PinRow({ pin, remove }: { pin: Pin; remove: () => void }): JSX.Element {
  return (
    <tr role="row" data-pin={pin.id}>
      <th scope="row" role="rowheader" class="when">
        {pin.model}
      </th>
      <Cell title="organisation">{pin.org ?? <span class="absent">not known</span>}</Cell>
      <Cell title="tokens">
        <Count of={pin.tokens} />
      </Cell>
      <Cell title="read by">
        <Count of={pin.reads} />
      </Cell>
      <Cell title="life left">
        <LifeLeft of={pin} />
      </Cell>
      <Cell title="pinned">
        <Moment of={pin.pinned_at} />
      </Cell>
      <td role="cell" class="number">
        <button type="button" class="small" onClick={remove} aria-label={`Unpin ${pin.tokens} tokens of ${pin.model}`}>
          Unpin
        </button>
      </td>
    </tr>
  )
}

/** A card has no heads: each of its cells has its name. */
function Cell({ title, children }: { title: (typeof titles)[number]; children: ComponentChildren }): JSX.Element {
  return (
    <td role="cell" data-title={title} class={numbers.has(title) ? 'number' : undefined}>
      {children}
    </td>
  )
}

function LifeLeft({ of: pin }: { of: Pin }): JSX.Element {
  const left = shareOf(pin.expires_in_ms, pin.ttl_ms) ?? 0
  return (
    <span class="share">
      <span class="share-bar wide" aria-hidden="true">
        <span style={{ width: `${Math.min(100, left * 100)}%` }} />
      </span>
      <span>
        {lengthText(pin.expires_in_ms)} of {lengthText(pin.ttl_ms)}
      </span>
    </span>
  )
}
