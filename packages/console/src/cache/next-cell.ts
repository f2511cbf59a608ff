import type { Cell } from './lay-out.ts'

/** Where a key leads from a cell: beside it, to the one above, to the first below; `undefined` = nowhere. */
export function nextCell(cells: readonly Cell[], from: string, key: string): Cell | undefined {
  const current = cells.find(({ id }) => id === from)
  if (current === undefined) return undefined
  const beside = cells.filter(({ row }) => row === current.row).sort((one, other) => one.x - other.x)
  const place = beside.indexOf(current)
  const middle = current.x + current.width / 2
  switch (key) {
    case 'ArrowLeft':
      return beside[place - 1]
    case 'ArrowRight':
      return beside[place + 1]
    case 'Home':
      return beside[0]
    case 'End':
      return beside.at(-1)
    case 'ArrowUp':
      return cells.find(({ row, x, width }) => row === current.row - 1 && x <= middle && middle <= x + width)
    case 'ArrowDown':
      return cells
        .filter(({ row, x }) => row === current.row + 1 && x >= current.x - 0.5 && x < current.x + current.width)
        .sort((one, other) => one.x - other.x)[0]
    default:
      return undefined
  }
}
