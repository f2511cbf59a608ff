import type { JSX } from 'preact'
import type { EngineModel, Tier, TierUse } from '../api/engine.ts'
import { tierNames } from '../api/engine.ts'
import { byteText, countText, percentText, shareOf } from '../format/amounts.ts'

/** What a model uses of each tier's budget. */
export function TierBars({ model, sharing }: { model: EngineModel; sharing: readonly string[] }): JSX.Element {
  const { hot, ram, disk } = model
  const held = hot?.held_tokens ?? 0
  return (
    <ul class="tiers">
      <TierBar tier="hot" use={hot} more={held > 0 ? `${countText(held)} tokens held by running generations` : ''} />
      <TierBar tier="ram" use={ram} off={ram?.capacity_bytes === 0 ? 'ram_bytes is 0' : undefined} />
      <TierBar
        tier="disk"
        use={disk}
        off={disk?.off ?? undefined}
        more={sharing.length === 0 ? '' : `shared with ${sharing.join(', ')}`}
      />
    </ul>
  )
}

interface TierBarProps {
  readonly tier: Tier
  readonly use: TierUse | undefined
  /** Why there is no such tier. */
  readonly off?: string | undefined
  readonly more?: string
}

function TierBar({ tier, use, off, more = '' }: TierBarProps): JSX.Element {
  const part = off === undefined ? shareOf(use?.bytes, use?.capacity_bytes) : undefined
  return (
    <li>
      <div class="tier-head">
        <span>{tierNames[tier]}</span>
        {off === undefined ? (
          <span>
            <b>{byteText(use?.bytes)}</b> of {byteText(use?.capacity_bytes)}
            {part !== undefined && <span class="quiet"> · {percentText(part)}</span>}
          </span>
        ) : (
          <span class="chip warn">off</span>
        )}
      </div>
      <div class="stack" aria-hidden="true">
        <span class={`stack-part ${tier}`} style={{ width: `${100 * Math.min(1, part ?? 0)}%` }} />
      </div>
      <p class="about">{off ?? [amountText(use), more].filter((text) => text !== '').join(' · ')}</p>
    </li>
  )
}

function amountText(use: TierUse | undefined): string {
  const { tokens, blocks, capacity_tokens: capacity } = use ?? {}
  const inBlocks = typeof blocks === 'number' ? countText(blocks) : undefined
  if (typeof tokens !== 'number') return inBlocks === undefined ? '' : `${inBlocks} whole states`
  const of = typeof capacity === 'number' ? ` of ${countText(capacity)}` : ''
  return `${countText(tokens)}${of} tokens${inBlocks === undefined ? '' : ` in ${inBlocks} blocks`}`
}
