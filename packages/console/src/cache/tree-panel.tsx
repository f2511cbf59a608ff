import { useMemo } from 'preact/hooks'
import type { ComponentChildren, JSX } from 'preact'
import type { PrefixList } from '../api/engine.ts'
import { countText } from '../format/amounts.ts'
import { Notice, Panel, Waiting } from '../parts/notice.tsx'
import { change, setting } from '../state/place.ts'
import type { Answer } from '../state/use-answer.ts'
import { Icicle } from './icicle.tsx'
import type { Focus } from './lay-out.ts'
import { NodeDetails } from './node-details.tsx'
import { everything, findNode, pictureTree } from './picture-node.ts'
import type { PictureNode } from './picture-node.ts'
import { TreeTable } from './tree-table.tsx'

/** The tree of cached prefixes: as a picture, in words for the node that was chosen, and as a table. */
export function TreePanel(props: {
  answer: Answer<PrefixList>
  children: ComponentChildren
  /** For those who may. */
  reset: (() => void) | undefined
}): JSX.Element {
  const { answer } = props
  const list = answer.value
  const tree = useMemo(() => (list === undefined ? undefined : pictureTree(list)), [list])
  const tools = (
    <div class="row">
      {props.children}
      {props.reset !== undefined && (
        <button type="button" class="danger" onClick={props.reset}>
          Reset …
        </button>
      )}
    </div>
  )
  return (
    <Panel title="Cached prefixes" id="tree" busy={answer.pending} tools={tools}>
      <Notice of={answer} what="cached prefixes" />
      <Waiting of={answer} />
      {list !== undefined && tree !== undefined && (
        <>
          {list.truncated === true && (
            <p class="about">
              {countText(list.data?.length)} of {countText(list.total)} are shown: choose which come first, or one model
              or organisation.
            </p>
          )}
          <Tree tree={tree} list={list} />
        </>
      )}
    </Panel>
  )
}

function Tree({ tree, list }: { tree: PictureNode; list: PrefixList }): JSX.Element {
  const focus = focusOf(tree)
  return (
    <>
      <div class="tree">
        <Icicle focus={focus} choose={choose} />
        <NodeDetails focus={focus} totals={list.tiers} choose={choose} />
      </div>
      <TreeTable focus={focus} />
    </>
  )
}

/** What the address names: a node, or its children from one on. What is not there any more is looked for at the top. */
function focusOf(tree: PictureNode): Focus {
  const [id = everything, from = '0'] = (setting('node') ?? everything).split('~', 2)
  const node = findNode(tree, id)
  const first = /^\d{1,6}$/.test(from) ? Number(from) : 0
  if (node === undefined) return { node: tree, from: 0 }
  return { node, from: first < node.children.length ? first : 0 }
}

function choose(id: string): void {
  change({ node: id === everything ? undefined : id })
}
