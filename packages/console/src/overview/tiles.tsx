import type { ComponentChildren, JSX } from 'preact'
import type { Totals } from '../api/summary.ts'
import { writtenTokens } from '../api/summary.ts'
import {
  countText,
  dollarText,
  exactDollars,
  millisecondText,
  percentText,
  rateText,
  shareOf,
  shortCount,
} from '../format/amounts.ts'
import { Tile } from '../parts/tile.tsx'
import { NotKnown, NotReported } from '../parts/values.tsx'

/** The numbers people come for, each with what it is a share of. */
export function Tiles({ totals }: { totals: Totals }): JSX.Element {
  return (
    <section aria-label="Totals">
      <dl class="tiles">
        <RequestTile totals={totals} />
        <TokenTile totals={totals} />
        <Tile name="Cached share, per token" value={ratioText(totals.hit_ratio_per_token)}>
          {countText(totals.cached_input_tokens)} of {countText(totals.input_tokens)} input tokens
        </Tile>
        <Tile name="Cached share, per request" value={ratioText(totals.hit_ratio_per_request)}>
          {countText(totals.warm_requests)} of {countText(measured(totals))} requests with known usage read from a cache
        </Tile>
        <SavedTile totals={totals} />
        <Tile name="Cost" value={dollars(totals.cost_usd)} title={exactDollars(totals.cost_usd)}>
          {typeof totals.counterfactual_usd === 'number' && (
            <>without caching {dollarText(totals.counterfactual_usd)}</>
          )}
        </Tile>
        <TtftTile totals={totals} />
      </dl>
      <Unknown totals={totals} />
    </section>
  )
}

function RequestTile({ totals }: { totals: Totals }): JSX.Element {
  const perSecond = totals.throughput?.['requests_per_second']
  return (
    <Tile name="Requests" value={count(totals.requests)} title={countText(totals.requests)}>
      {typeof perSecond === 'number' && <>{rateText(perSecond)}; </>}
      {countText(totals.failed_requests)} failed
    </Tile>
  )
}

function TokenTile({ totals }: { totals: Totals }): JSX.Element {
  return (
    <Tile name="Input tokens" value={count(totals.input_tokens)} title={countText(totals.input_tokens)}>
      {shortCount(writtenTokens(totals))} written to caches; {shortCount(totals.output_tokens)} output
    </Tile>
  )
}

function SavedTile({ totals: { saved_usd: saved, counterfactual_usd: without } }: { totals: Totals }): JSX.Element {
  const share = shareOf(saved, without)
  return (
    <Tile name="Saved, net" value={dollars(saved)} title={exactDollars(saved)} bad={(saved ?? 0) < 0}>
      {share === undefined
        ? 'after writes, storage and keep-alive'
        : `${percentText(share)} of ${dollarText(without)} without caching`}
    </Tile>
  )
}

function TtftTile({ totals: { ttft } }: { totals: Totals }): JSX.Element {
  return (
    <Tile name="TTFT, median" value={ttft?.warm ? millisecondText(ttft.warm.p50_ms) : <NotReported />}>
      warm; cold {millisecondText(ttft?.cold?.p50_ms)}
    </Tile>
  )
}

/** What is in no sum, said plainly. */
function Unknown({ totals }: { totals: Totals }): JSX.Element {
  const { unreported_requests: unreported, unpriced_requests: unpriced, requests } = totals
  return (
    <p class="unknown">
      <span>
        Usage not reported: <b>{countText(unreported)}</b> of {countText(requests)} requests; their tokens are in no
        sum.
      </span>{' '}
      <span>
        Price not known: <b>{countText(unpriced)}</b> of {countText(requests)} requests; their cost is in no sum.
      </span>
    </p>
  )
}

function measured({ requests, unreported_requests: unreported }: Totals): number | undefined {
  return typeof requests === 'number' && typeof unreported === 'number' ? requests - unreported : undefined
}

function ratioText(ratio: number | null | undefined): ComponentChildren {
  if (ratio === null) return <span class="absent">nothing to divide by</span>
  return ratio === undefined ? <NotReported /> : percentText(ratio)
}

function count(value: number | null | undefined): ComponentChildren {
  return typeof value === 'number' ? shortCount(value) : <NotReported />
}

function dollars(value: number | null | undefined): ComponentChildren {
  return typeof value === 'number' ? dollarText(value) : <NotKnown />
}
