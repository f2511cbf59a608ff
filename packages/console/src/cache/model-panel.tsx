import type { JSX } from 'preact'
import type { EngineModel, Tier } from '../api/engine.ts'
import { tierNames, tiers } from '../api/engine.ts'
import { countText, percentText, shareOf } from '../format/amounts.ts'
import { Panel } from '../parts/notice.tsx'
import { Pairs } from '../parts/pairs.tsx'
import { setting } from '../state/place.ts'
import { TierBars } from './tier-bars.tsx'

/** Every local model, or those of the filter, with what it uses. */
export function ModelPanels({ models }: { models: readonly EngineModel[] }): JSX.Element {
  const chosen = setting('local')
  const shown = models.filter(({ model }) => chosen === undefined || nameOf(model) === chosen)
  return (
    <div class="columns models">
      {shown.map((model) => (
        <ModelPanel key={model.model} model={model} sharing={sharingOf(model, models)} />
      ))}
    </div>
  )
}

/** The model of which this is an instance. */
function nameOf(instance: string): string {
  return instance.replace(/#\d+$/, '')
}

function sharingOf({ model, disk }: EngineModel, models: readonly EngineModel[]): readonly string[] {
  if (disk?.store === null || disk?.store === undefined) return []
  return models.filter((other) => other.model !== model && other.disk?.store === disk.store).map((other) => other.model)
}

function ModelPanel({ model, sharing }: { model: EngineModel; sharing: readonly string[] }): JSX.Element {
  const id = `model-${model.model.replaceAll(/[^\w-]/g, '-')}`
  return (
    <Panel title={model.model} id={id} tools={<Load model={model} />}>
      {typeof model.prefix_cache_off === 'string' && (
        <p class="off-note" role="note">
          <strong>Nothing is reused for this model:</strong> {model.prefix_cache_off}
        </p>
      )}
      <TierBars model={model} sharing={sharing} />
      <Lookups model={model} />
      <details class="behind">
        <summary>Counts since its process started</summary>
        <Pairs of={countsOf(model)} />
      </details>
    </Panel>
  )
}

function Load({ model: { running, queued } }: { model: EngineModel }): JSX.Element {
  return (
    <span class="quiet load">
      {countText(running)} running, {countText(queued)} waiting
    </span>
  )
}

/** Where the tokens of prompts came from: a tier, or the processor. */
function Lookups({ model: { tokens } }: { model: EngineModel }): JSX.Element {
  const queried = tokens?.['queried'] ?? 0
  if (queried === 0) return <p class="about">No prompt was looked up yet.</p>
  const found = tiers.map((tier) => ({ tier, tokens: tokens?.[`cached_${tier}`] ?? 0 }))
  const rest = Math.max(0, queried - found.reduce((sum, part) => sum + part.tokens, 0))
  const text = (count: number): string => percentText(shareOf(count, queried))
  return (
    <div class="lookups">
      <div class="tier-head">
        <span>Found in the cache</span>
        <b>{text(queried - rest)}</b>
      </div>
      <div class="stack" aria-hidden="true">
        {found.map(({ tier, tokens: count }) => (
          <span key={tier} class={`stack-part ${tier}`} style={{ width: `${(100 * count) / queried}%` }} />
        ))}
      </div>
      <ul class="stack-legend">
        {found.map(({ tier, tokens: count }) => (
          <li key={tier} title={`${countText(count)} tokens`}>
            <TierSwatch tier={tier} />
            {tierNames[tier]} <b>{text(count)}</b>
          </li>
        ))}
        <li title={`${countText(rest)} tokens`}>
          <span class="swatch computed" />
          computed <b>{text(rest)}</b>
        </li>
      </ul>
      <p class="about">of {countText(queried)} prompt tokens looked up since its process started</p>
    </div>
  )
}

/** The colour of a tier. */
export function TierSwatch({ tier }: { tier: Tier }): JSX.Element {
  return <span class={`swatch ${tier}`} aria-hidden="true" />
}

function countsOf({
  tokens = {},
  disk = {},
  pins = {},
  context_tokens: context,
}: EngineModel): (readonly [string, string])[] {
  const pinned = `${countText(pins.count)} of ${countText(pins.tokens)} tokens`
  return [
    ['context', `${countText(context)} tokens`],
    ['prompts', `${countText(tokens['prompt'])} tokens`],
    ['computed', `${countText(tokens['evaluated'])} tokens`],
    ['generated', `${countText(tokens['generated'])} tokens`],
    ['evicted from hot', `${countText(tokens['evicted'])} tokens`],
    ['pins', `${pinned}, ${countText(pins.dropped)} dropped for want of room`],
    [
      'disk, found at the start',
      `${countText(disk.restored)} blocks, ${countText(disk.discarded)} damaged and dropped`,
    ],
    ['disk, written and read', `${countText(disk.written)} and ${countText(disk.read)} blocks`],
    ['disk, evicted', `${countText(disk.evicted)} blocks`],
    ['disk, writes that failed', countText(disk.failed_writes)],
  ]
}
