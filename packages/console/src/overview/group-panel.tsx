import type { JSX } from 'preact'
import type { Summary, SummaryRow } from '../api/summary.ts'
import { Heads, NumberCell, TokenCells, tokenTitles } from '../parts/cells.tsx'
import { Notice, Panel, Waiting } from '../parts/notice.tsx'
import { Count, Dollars, NotReported, ScrollTable, Select, Share } from '../parts/values.tsx'
import { millisecondText } from '../format/amounts.ts'
import type { FilterName } from '../state/filters.ts'
import { filterNames } from '../state/filters.ts'
import { change, hrefOf, setting } from '../state/place.ts'
import { useAnswer } from '../state/use-answer.ts'
import { groupsQuestion } from './summary-question.ts'

const groups = {
  'model,upstream': 'model and upstream',
  model: 'model',
  upstream: 'upstream',
  provider: 'provider',
  org: 'organisation',
  key: 'key',
  session: 'session',
  verdict: 'verdict',
  cause: 'cause',
  reuse: 'reuse',
  dialect: 'dialect',
  service_tier: 'service tier',
} as const

/** The same totals by group, with a way to the events behind each. */
export function GroupPanel(): JSX.Element {
  const chosen = setting('group') ?? ''
  const groupBy = chosen in groups ? chosen : 'model,upstream'
  const answer = useAnswer<Summary>(groupsQuestion(groupBy))
  const rows = [...(answer.value?.rows ?? [])].sort((a, b) => (b.input_tokens ?? 0) - (a.input_tokens ?? 0))
  const tools = (
    <Select
      label="By"
      value={groupBy}
      options={Object.entries(groups)}
      choose={(name) => change({ group: name === 'model,upstream' ? undefined : name }, 'in place')}
    />
  )
  return (
    <Panel title="Where it goes" id="groups" tools={tools} busy={answer.pending}>
      <Notice of={answer} what="groups" />
      <Waiting of={answer} />
      {answer.value?.rows !== undefined && <Groups names={groupBy.split(',')} rows={rows} />}
      {answer.value?.truncated === true && (
        <p class="about">The {rows.length} with most requests are shown; there are more.</p>
      )}
    </Panel>
  )
}

function Groups({ names, rows }: { names: readonly string[]; rows: readonly SummaryRow[] }): JSX.Element {
  return (
    <ScrollTable label="Totals by group">
      <thead>
        <tr>
          <Heads of={names} />
          <Heads
            number
            of={[
              'requests',
              ...tokenTitles,
              'cached, per token',
              'cached, per request',
              'cost',
              'saved, net',
              'TTFT p50 cold / warm',
            ]}
          />
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <GroupRow key={JSON.stringify(row.group)} names={names} row={row} />
        ))}
      </tbody>
    </ScrollTable>
  )
}

function GroupRow({ names, row }: { names: readonly string[]; row: SummaryRow }): JSX.Element {
  const { ttft } = row
  return (
    <tr>
      {names.map((name) => (
        <th key={name} scope="row" class="name">
          <GroupName name={name} row={row} />
        </th>
      ))}
      <NumberCell>
        <Count of={row.requests} />
      </NumberCell>
      <TokenCells of={row} />
      <NumberCell>{row.hit_ratio_per_token === null ? '–' : <Share of={row.hit_ratio_per_token} />}</NumberCell>
      <NumberCell>{row.hit_ratio_per_request === null ? '–' : <Share of={row.hit_ratio_per_request} />}</NumberCell>
      <NumberCell>
        <Dollars of={row.cost_usd} />
      </NumberCell>
      <NumberCell>
        <Dollars of={row.saved_usd} />
      </NumberCell>
      <NumberCell>{ttft ? `${median(ttft.cold)} / ${median(ttft.warm)}` : <NotReported />}</NumberCell>
    </tr>
  )
}

function GroupName({ name, row }: { name: string; row: SummaryRow }): JSX.Element {
  const value = row.group?.[name]
  if (value === null || value === undefined) return <span class="absent">none</span>
  const text = String(value)
  if (!filterNames.includes(name as FilterName)) return <>{text}</>
  const others = Object.entries(row.group ?? {}).filter(([key]) => filterNames.includes(key as FilterName))
  return (
    <a
      href={hrefOf(
        'events',
        Object.fromEntries(others.map(([key, other]) => [key, other === null ? undefined : String(other)])),
      )}
      title={`Events with ${name} ${text}`}
    >
      {text}
    </a>
  )
}

function median(
  quantiles: { count?: number | null | undefined; p50_ms?: number | null | undefined } | null | undefined,
): string {
  return (quantiles?.count ?? 0) === 0 ? '–' : millisecondText(quantiles?.p50_ms)
}
