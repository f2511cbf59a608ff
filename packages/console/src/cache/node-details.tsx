import type { ComponentChildren, JSX } from 'preact'
import type { PrefixRow, TierTotals } from '../api/engine.ts'
import { tierNames, tiers } from '../api/engine.ts'
import { countText } from '../format/amounts.ts'
import { Pairs } from '../parts/pairs.tsx'
import { Moment } from '../parts/values.tsx'
import type { Focus } from './lay-out.ts'
import { TierSwatch } from './model-panel.tsx'
import { everything, pathTo } from './picture-node.ts'
import type { PictureNode } from './picture-node.ts'
import { ageText, lastUsedText } from './prefix-words.ts'

/** What is known of the node that the picture is about. */
export function NodeDetails(props: {
  focus: Focus
  totals: TierTotals | undefined
  choose: (id: string) => void
}): JSX.Element {
  const { node, from } = props.focus
  const parent = from > 0 ? node : pathTo(node).at(-2)
  return (
    <aside class="node-details" aria-labelledby="node-title">
      <header class="panel-head">
        <h3 id="node-title">
          {node.tier !== undefined && <TierSwatch tier={node.tier} />}
          {titleOf(props.focus)}
        </h3>
        {parent !== undefined && (
          <button type="button" class="small" onClick={() => props.choose(parent.id)}>
            Out
          </button>
        )}
      </header>
      {node.row === undefined ? (
        <TierFacts node={node} totals={props.totals} />
      ) : (
        <Pairs of={factsOf(node, node.row)} />
      )}
      {node.row !== undefined && (
        <p class="about">The gateway keeps no text of it: the engine has tokens, and nobody is told them.</p>
      )}
    </aside>
  )
}

function titleOf({ node, from }: Focus): string {
  if (from > 0) return `${countText(node.children.length - from)} smaller prefixes`
  const { row, tier } = node
  if (row === undefined) return tier === undefined ? 'All tiers' : tierNames[tier]
  return row.start === 0 ? 'Opening of prompts' : `Goes on at token ${countText(row.start)}`
}

function factsOf(node: PictureNode, row: PrefixRow): (readonly [string, ComponentChildren])[] {
  return [
    ['tokens', `${countText(row.tokens)}, from ${countText(row.start)} to ${countText(row.start + row.tokens)}`],
    ['with all below it', `${countText(node.size)} tokens in ${countText(node.count)} prefixes`],
    ['tier', tierNames[row.tier]],
    ['reused', row.hits === 1 ? 'by 1 request' : `by ${countText(row.hits)} requests`],
    ['last used', <Moment key="used" of={row.last_used} />],
    ['age', `${ageText(row)}, ${lastUsedText(row)}`],
    ['model', row.model],
    ['organisation', row.org ?? <span class="absent">not known to the ledger</span>],
    [
      'goes on in',
      `${countText(row.children)} ${row.children === 1 ? 'way' : 'ways'}, ${countText(row.depth)} above it`,
    ],
    ['id', <code key="id">{row.id}</code>],
  ]
}

function TierFacts({ node, totals }: { node: PictureNode; totals: TierTotals | undefined }): JSX.Element {
  const shown = node.id === everything ? tiers : tiers.filter((tier) => tier === node.tier)
  return (
    <>
      <Pairs
        of={shown.map((tier) => [
          tierNames[tier],
          `${countText(totals?.[tier].tokens)} tokens in ${countText(totals?.[tier].nodes)} prefixes`,
        ])}
      />
      <p class="about">
        A prefix that is in several tiers is counted in each. Hot state is cut at any token, RAM and disk hold blocks of
        64: the same prompt is a little shorter there. A prompt is looked for in hot, then RAM, then on disk.
      </p>
    </>
  )
}
