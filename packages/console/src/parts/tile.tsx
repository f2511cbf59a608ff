import type { ComponentChildren, JSX } from 'preact'

/** A number people come for, with what belongs to it below. */
export function Tile(props: {
  name: string
  value: ComponentChildren
  title?: string | undefined
  bad?: boolean
  children?: ComponentChildren
}): JSX.Element {
  return (
    <div class="tile">
      <dt>{props.name}</dt>
      <dd class={props.bad === true ? 'big negative' : 'big'} title={props.title}>
        {props.value}
      </dd>
      <dd class="about">{props.children}</dd>
    </div>
  )
}
