import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { labelOf, wordsOf } from './cell-words.ts'
import type { Cell, Focus } from './lay-out.ts'
import { layOut } from './lay-out.ts'
import type { PictureNode } from './picture-node.ts'
import { useCursor } from './use-cursor.ts'

const rowHeight = 28
const gap = 2
/** Narrower cells are what they are by their colour alone. */
const edgedWidth = 22
const rowsBelow = 9

interface IcicleProps {
  readonly focus: Focus
  readonly choose: (id: string) => void
}

/**
 * The tree, drawn from the top: each node as wide as its share of the tokens, in the colour of its tier, the stronger the
 * more it was reused. A click or Enter goes into a node, Esc out of it; arrows move.
 */
export function Icicle({ focus, choose }: IcicleProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null)
  const width = useWidth(place)
  const cells = width === 0 ? [] : layOut(focus, { width, rows: rowsBelow })
  const [current, onKey] = useCursor(place, cells, { focus, choose })
  const rows = Math.max(0, ...cells.map(({ row }) => row)) + 1
  return (
    <div class="icicle" ref={place}>
      <svg width={width} height={rows * rowHeight} role="tree" aria-label="Cached prefixes">
        {cells.map((cell) => (
          <CellShape
            key={cell.id}
            cell={cell}
            focus={focus}
            isCurrent={cell.id === current}
            choose={choose}
            onKey={onKey}
          />
        ))}
      </svg>
      <p class="about keys">
        Wide: many tokens. Strong: reused often. Click or <kbd>Enter</kbd> goes into a prefix, <kbd>Esc</kbd> out,{' '}
        <kbd>←</kbd> <kbd>→</kbd> <kbd>↑</kbd> <kbd>↓</kbd> move.
      </p>
    </div>
  )
}

function CellShape(props: {
  cell: Cell
  focus: Focus
  isCurrent: boolean
  choose: (id: string) => void
  onKey: (event: KeyboardEvent) => void
}): JSX.Element {
  const { cell, focus } = props
  const { node, restFrom } = cell
  const isFocus = restFrom === undefined && node === focus.node
  const height = rowHeight - gap
  const width = Math.max(1, cell.width - gap)
  const kind = `cell ${node.tier ?? 'everything'} ${restFrom === undefined ? `shade-${shadeOf(node)}` : 'rest'}`
  const label = labelOf(cell, width)
  return (
    <g
      class={isFocus ? `${kind} focus` : kind}
      role="treeitem"
      data-id={cell.id}
      aria-level={cell.row + 1}
      aria-selected={isFocus}
      aria-label={wordsOf(cell)}
      tabindex={props.isCurrent ? 0 : -1}
      transform={`translate(${cell.x} ${cell.row * rowHeight})`}
      onClick={() => props.choose(cell.id)}
      onKeyDown={props.onKey}
    >
      <title>{wordsOf(cell)}</title>
      <rect class="body" width={width} height={height} rx={3} />
      {restFrom === undefined && width >= edgedWidth && <rect class="edge" width={2.5} height={height} rx={1} />}
      {label !== '' && (
        <text x={restFrom === undefined ? 10 : 6} y={height / 2} dominant-baseline="central">
          {label}
        </text>
      )}
      {cell.deeper && width > 14 && <path class="deeper" d={`M${width - 11} ${height - 6}h7l-3.5 4z`} />}
    </g>
  )
}

function useWidth(place: { readonly current: HTMLDivElement | null }): number {
  const width = useSignal(0)
  useLayoutEffect(() => {
    const element = place.current
    if (element === null) return undefined
    const measure = (): void => {
      width.value = Math.floor(element.clientWidth)
    }
    measure()
    const resized = new ResizeObserver(measure)
    resized.observe(element)
    return () => resized.disconnect()
  }, [])
  return width.value
}

/** How strong the colour is: 0 = never reused, 4 = very often. */
function shadeOf({ row }: PictureNode): number {
  if (row === undefined) return 2
  return row.hits === 0 ? 0 : Math.min(4, 1 + Math.floor(Math.log2(row.hits) / 2))
}
