import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { PrefixRow } from '../api/engine.ts'
import { tierNames } from '../api/engine.ts'
import { countText } from '../format/amounts.ts'
import { Heads, NumberCell } from '../parts/cells.tsx'
import { Count, Moment, ScrollTable } from '../parts/values.tsx'
import { hrefOf } from '../state/place.ts'
import type { Focus } from './lay-out.ts'
import { TierSwatch } from './model-panel.tsx'
import { nodesBelow } from './picture-node.ts'
import type { PictureNode } from './picture-node.ts'
import { ageText } from './prefix-words.ts'

const rowsAtFirst = 100
/** Deeper rows are not indented further. */
const mostIndents = 12

/** The same as the picture, in rows: parents before what continues them, the largest first. */
export function TreeTable({ focus }: { focus: Focus }): JSX.Element {
  const all = useSignal(false)
  const rows = rowsOf(focus)
  const shown = all.value ? rows : rows.slice(0, rowsAtFirst)
  const [top] = rows
  return (
    <details class="behind" open>
      <summary>
        The same as a table: {countText(rows.length)} {rows.length === 1 ? 'prefix' : 'prefixes'}
      </summary>
      <ScrollTable label="Cached prefixes as a table">
        <thead>
          <tr>
            <Heads of={['prefix', 'tier']} />
            <Heads number of={['tokens', 'with all below', 'reused', 'children']} />
            <Heads of={['last used', 'age', 'model', 'organisation']} />
          </tr>
        </thead>
        <tbody>
          {shown.map(({ node, row }) => (
            <TableRow key={row.id} node={node} row={row} indent={row.depth - (top?.row.depth ?? 0)} />
          ))}
        </tbody>
      </ScrollTable>
      {shown.length < rows.length && (
        <p class="row">
          <button type="button" onClick={() => void (all.value = true)}>
            Show all {countText(rows.length)}
          </button>
        </p>
      )}
    </details>
  )
}

interface Row {
  readonly node: PictureNode
  readonly row: PrefixRow
}

function rowsOf({ node, from }: Focus): readonly Row[] {
  const roots = from === 0 ? [node] : node.children.slice(from)
  const nodes = roots.flatMap((root) => [...nodesBelow(root)])
  return nodes.flatMap((one) => (one.row === undefined ? [] : [{ node: one, row: one.row }]))
}

function TableRow({ node, row, indent }: Row & { readonly indent: number }): JSX.Element {
  const range = `${countText(row.start)} – ${countText(row.start + row.tokens)}`
  return (
    <tr>
      <th scope="row" class={`indent-${Math.min(mostIndents, Math.max(0, indent))}`}>
        <a href={hrefOf('cache', { node: row.id })} title="Show it in the picture">
          {range}
        </a>
      </th>
      <td>
        <TierSwatch tier={row.tier} />
        {tierNames[row.tier]}
      </td>
      <NumberCell>
        <Count of={row.tokens} />
      </NumberCell>
      <NumberCell>
        <Count of={node.size} />
      </NumberCell>
      <NumberCell>
        <Count of={row.hits} />
      </NumberCell>
      <NumberCell>
        <Count of={row.children} />
      </NumberCell>
      <td>
        <Moment of={row.last_used} />
      </td>
      <td>{ageText(row)}</td>
      <td>{row.model}</td>
      <td>{row.org ?? <span class="absent">not known</span>}</td>
    </tr>
  )
}
