import type { ComponentChildren, JSX } from 'preact'
import { Count } from './values.tsx'

/** Titles of columns, of words or of numbers. */
export function Heads({ of: titles, number = false }: { of: readonly string[]; number?: boolean }): JSX.Element {
  return (
    <>
      {titles.map((title) => (
        <th key={title} scope="col" class={number ? 'number' : undefined}>
          {title}
        </th>
      ))}
    </>
  )
}

/** A number in its column. */
export function NumberCell({ children, start }: { children: ComponentChildren; start?: boolean }): JSX.Element {
  return <td class={start === true ? 'number start' : 'number'}>{children}</td>
}

type Amount = number | null | undefined

/** Titles of `TokenCells`. */
export const tokenTitles = ['input_tokens', 'cached_input_tokens'] as const

/** How much was sent, and how much of it was read from caches. */
export function TokenCells({
  of: row,
}: {
  of: { readonly input_tokens?: Amount; readonly cached_input_tokens?: Amount } | null | undefined
}): JSX.Element {
  return (
    <>
      <NumberCell>
        <Count of={row?.input_tokens} />
      </NumberCell>
      <NumberCell>
        <Count of={row?.cached_input_tokens} />
      </NumberCell>
    </>
  )
}
