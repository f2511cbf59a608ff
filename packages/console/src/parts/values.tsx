import type { ComponentChildren, JSX } from 'preact'
import { countText, dollarText, exactDollars, notKnown, notReported, percentText } from '../format/amounts.ts'
import { fullMomentText, momentText } from '../format/times.ts'
import { timeZone } from '../state/time-range.ts'
import { Field } from './field.tsx'

type Amount = number | null | undefined

/** Stands for a value that nobody reported; looks like no number at all. */
export function NotReported(): JSX.Element {
  return <span class="absent">{notReported}</span>
}

/** Stands for an amount that cannot be told. */
export function NotKnown(): JSX.Element {
  return <span class="absent">{notKnown}</span>
}

export function Count({ of: value }: { of: Amount }): JSX.Element {
  return typeof value === 'number' ? <span>{countText(value)}</span> : <NotReported />
}

/** Dollars in few digits, all of them on demand; what was lost is red. */
export function Dollars({ of: value }: { of: Amount }): JSX.Element {
  if (typeof value !== 'number') return <NotKnown />
  return (
    <span class={value < 0 ? 'negative' : undefined} title={exactDollars(value)}>
      {dollarText(value)}
    </span>
  )
}

/** A share as a bar and as a number. */
export function Share({ of: value }: { of: Amount }): JSX.Element {
  if (typeof value !== 'number') return <NotReported />
  return (
    <span class="share">
      <span class="share-bar" aria-hidden="true">
        <span style={{ width: `${Math.min(100, value * 100)}%` }} />
      </span>
      <span class="share-text">{percentText(value)}</span>
    </span>
  )
}

export function Moment({ of: at }: { of: string | null | undefined }): JSX.Element {
  if (at === null || at === undefined) return <NotReported />
  return (
    <time dateTime={at} title={fullMomentText(at, timeZone())}>
      {momentText(at, timeZone())}
    </time>
  )
}

/** Buttons of which one is pressed. */
export function Choice<T extends string>(props: {
  label: string
  value: T
  options: readonly (readonly [T, string])[]
  choose: (value: T) => void
}): JSX.Element {
  return (
    <div class="choice" role="group" aria-label={props.label}>
      {props.options.map(([value, title]) => (
        <button key={value} type="button" aria-pressed={value === props.value} onClick={() => props.choose(value)}>
          {title}
        </button>
      ))}
    </div>
  )
}

/** A select with its name. */
export function Select(props: {
  label: string
  value: string
  options: readonly (readonly [string, string])[]
  choose: (value: string) => void
}): JSX.Element {
  return (
    <Field label={props.label}>
      {(id) => (
        <select id={id} value={props.value} onChange={({ currentTarget }) => props.choose(currentTarget.value)}>
          {props.options.map(([value, title]) => (
            <option key={value} value={value}>
              {title}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

/** A table that scrolls by itself, not the page. */
export function ScrollTable({ label, children }: { label: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>{children}</table>
    </div>
  )
}
