import type { JSX } from 'preact'
import { addressOf } from '../api/ask.ts'
import type { PrefixUse } from '../api/summary.ts'
import { shareOf } from '../format/amounts.ts'
import { Heads, NumberCell, TokenCells, tokenTitles } from '../parts/cells.tsx'
import { Notice, Panel, Waiting } from '../parts/notice.tsx'
import { Count, Moment, ScrollTable, Share } from '../parts/values.tsx'
import { filters } from '../state/filters.ts'
import { moments } from '../state/time-range.ts'
import { useAnswer } from '../state/use-answer.ts'

const shown = 10

/** Which openings of prompts come again, and which never do. */
export function PrefixPanel(): JSX.Element | null {
  const answer = useAnswer<{ data?: readonly PrefixUse[] }>({
    address: addressOf('v1/prefixes', { ...moments(), ...filters(), kind: undefined, limit: shown }),
    everyMs: 30_000,
  })
  // A gateway without this list has no route of that name.
  if (answer.failure?.status === 404) return null
  const rows = answer.value?.data ?? []
  return (
    <Panel title="Prefixes" id="prefixes" busy={answer.pending}>
      <p class="about">
        Openings of prompts, by their fingerprint. Reused is one of which a request read something from a cache; else
        what was written of it was written for nothing.
      </p>
      <Notice of={answer} what="prefixes" />
      <Waiting of={answer} />
      {rows.length > 0 && (
        <ScrollTable label="Prefixes">
          <thead>
            <tr>
              <Heads of={['prefix', 'reused']} />
              <Heads number of={['requests', 'sessions', ...tokenTitles, 'cached, per token']} />
              <Heads of={['last seen']} />
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <PrefixRow key={row.prefix} row={row} />
            ))}
          </tbody>
        </ScrollTable>
      )}
    </Panel>
  )
}

function PrefixRow({ row }: { row: PrefixUse }): JSX.Element {
  return (
    <tr>
      <th scope="row">
        <code>{row.prefix}</code>
      </th>
      <td>{row.reused === true ? 'yes' : row.reused === false ? 'never' : ''}</td>
      <NumberCell>
        <Count of={row.requests} />
      </NumberCell>
      <NumberCell>
        <Count of={row.sessions} />
      </NumberCell>
      <TokenCells of={row} />
      <NumberCell>
        {row.input_tokens === 0 ? '–' : <Share of={shareOf(row.cached_input_tokens, row.input_tokens)} />}
      </NumberCell>
      <td>
        <Moment of={row.last_seen} />
      </td>
    </tr>
  )
}
