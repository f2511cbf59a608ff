import type { Milliseconds } from '@incipit/core'
import { IncipitError, isRepeatable } from '@incipit/core'
import type { IncomingHttpHeaders } from 'node:http'
import { decodeWhole, isKnownCoding } from '../http/content-coding.ts'
import type { House } from '../house.ts'
import type { Identified, Passage } from '../passage.ts'
import type { AttemptPlan, PlanInput } from '../plan/plan-attempt.ts'
import { planAttempt } from '../plan/plan-attempt.ts'
import type { UpstreamTarget } from '../route/route.ts'
import type { UpstreamAnswer } from '../upstreams/upstream-answer.ts'
import { refuseRedirect, UpstreamFailure } from '../upstreams/upstream-failure.ts'
import { pause } from './pause.ts'
import { retryAfterMs, retryDelayMs } from './retry-delay.ts'
import type { CancelSignal } from '../http/cancellation.ts'

/** What the upstreams had to say: an answer that flows, or the last refusal, whole. */
export type UpstreamReply =
  | {
      readonly kind: 'answer'
      readonly target: UpstreamTarget
      readonly plan: AttemptPlan
      readonly answer: UpstreamAnswer
    }
  | ({ readonly kind: 'refusal'; readonly target: UpstreamTarget; readonly plan: AttemptPlan } & UpstreamRefusal)

/** An answer with a status of 400 or more. */
export interface UpstreamRefusal {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Statuses with which an upstream says that it has not done the work and may be asked again. */
const repeatable = new Set([408, 409, 429, 500, 502, 503, 504, 529])
/** Of those, what says nothing against the replica. */
const blameless = new Set([408, 409, 429])
/** Longest error body that is kept and passed on. */
const refusalBytes = 4 * 2 ** 20
/** Longest pause for one replica while another one could be asked. */
const patienceMs = 1_000
/** Longest pause that a caller is made to wait for; beyond it the refusal goes back with its `retry-after`. */
const longestPauseMs = 20_000

export interface AttemptInput {
  readonly who: Identified
  readonly targets: readonly UpstreamTarget[]
  readonly house: House
  readonly passage: Passage
  readonly signal: CancelSignal
  /** Plans an attempt, where it is not that of a prompt. */
  readonly plan?: (input: PlanInput) => AttemptPlan
}

/**
 * Tries replicas and upstreams in their order until one answers, planning anew for each. Repeats only before
 * the first byte, only what is safe to repeat, and never more often than `max_retries` of each upstream.
 * Side effects: circuits learn, the passage notes every attempt that failed.
 *
 * @throws IncipitError when none answered: `upstream_unreachable`, `upstream_timeout`, `upstream_unavailable`, ...
 * @example const reply = await attemptUpstreams({ who, targets, house, passage, signal })
 */
export function attemptUpstreams(input: AttemptInput): Promise<UpstreamReply> {
  return new Attempts(input).run()
}

type Outcome =
  | { readonly kind: 'reply'; readonly reply: UpstreamReply }
  /** Try the same replica again, after a pause. */
  | { readonly kind: 'again'; readonly afterMs: number }
  | { readonly kind: 'next' }
  /** The upstream may still be at work: another upstream may be asked, not this one. */
  | { readonly kind: 'next-upstream' }

/** What could be asked beside the target of a try. */
interface Left {
  readonly other: boolean
  /** Another replica of the same upstream. */
  readonly sibling: boolean
  /** One that has not been asked, whether a try is left for it or not. */
  readonly unasked: boolean
}

class Attempts {
  readonly #input: AttemptInput
  /** Tries of each upstream so far. */
  readonly #tries = new Map<string, number>()
  readonly #barred = new Set<string>()
  #withoutMarks = false
  #last: UpstreamReply | IncipitError | undefined

  constructor(input: AttemptInput) {
    this.#input = input
  }

  async run(): Promise<UpstreamReply> {
    let upstream: UpstreamTarget['upstream'] | undefined
    for (const [index, target] of this.#input.targets.entries()) {
      // What one upstream thinks of marks says nothing of the next one.
      if (target.upstream !== upstream) this.#withoutMarks = false
      upstream = target.upstream
      const reply = await this.#askReplica(target, this.#input.targets.slice(index + 1))
      if (reply !== undefined) return reply
    }
    if (this.#last instanceof Error) throw this.#last
    return this.#last ?? this.#allClosed()
  }

  async #askReplica(target: UpstreamTarget, others: readonly UpstreamTarget[]): Promise<UpstreamReply | undefined> {
    const { house, signal } = this.#input
    while (this.#mayTry(target) && target.replica.circuit.allows(house.clock.monotonic())) {
      this.#tries.set(target.upstream.name, this.#triesOf(target) + 1)
      const outcome = await this.#try(target, this.#leftAmong(others, target))
      if (outcome.kind === 'reply') return outcome.reply
      if (outcome.kind === 'next-upstream') this.#barred.add(target.upstream.name)
      if (outcome.kind !== 'again' || !this.#mayTry(target)) return undefined
      await pause(outcome.afterMs, signal)
    }
    return undefined
  }

  async #try(target: UpstreamTarget, left: Left): Promise<Outcome> {
    const { who, house, passage, signal } = this.#input
    const trace = passage.trace.calling({ target, session: who.session, stream: who.prompt.stream })
    const plan = (this.#input.plan ?? planAttempt)({ who, target, house, withoutMarks: this.#withoutMarks, trace })
    const begun = house.clock.monotonic()
    passage.trying(target, plan)
    let answer: UpstreamAnswer
    try {
      const { path, headers, body } = plan
      answer = await target.replica.transport.send({ method: 'POST', path, headers, body }, signal)
      refuseRedirect(answer)
    } catch (cause) {
      return this.#failed(cause, target, begun, left)
    }
    passage.heard(answer.headers)
    if (answer.status < 400) {
      target.replica.circuit.succeeded()
      return { kind: 'reply', reply: { kind: 'answer', target, plan, answer } }
    }
    return this.#refused(await refusalOf(answer), { target, plan, begun, left })
  }

  #failed(cause: unknown, target: UpstreamTarget, begun: Milliseconds, left: Left): Outcome {
    const { house, passage, who } = this.#input
    // The client left, or something of ours is broken: no other replica would make it better.
    if (!(cause instanceof UpstreamFailure)) throw cause
    target.replica.circuit.failed(house.clock.monotonic())
    const error = new IncipitError(cause.code, `upstream "${target.upstream.name}": ${cause.message}`, { cause })
    this.#last = error
    passage.attemptFailed({ target, begun, status: error.status, errorCode: error.code })
    if (cause.phase === 'connect' && left.unasked) {
      // Nothing was sent: that was no try of the upstream.
      this.#tries.set(target.upstream.name, this.#triesOf(target) - 1)
      return { kind: 'next' }
    }
    if (cause.phase === 'first-byte' || cause.phase === 'answer') return { kind: 'next-upstream' }
    if (cause.phase === 'lost' && !isRepeatable(who.prompt)) return { kind: 'next-upstream' }
    if (left.other) return { kind: 'next' }
    return { kind: 'again', afterMs: retryDelayMs(this.#triesOf(target)) }
  }

  #refused(
    refusal: UpstreamRefusal,
    { target, plan, begun, left }: { target: UpstreamTarget; plan: AttemptPlan; begun: Milliseconds; left: Left },
  ): Outcome {
    const { house, passage } = this.#input
    const { status } = refusal
    const reply = { kind: 'refusal', target, plan, ...refusal } as const
    if (!repeatable.has(status)) {
      target.replica.circuit.succeeded()
      if (!this.#complainsOfOurMarks(refusal, plan)) return { kind: 'reply', reply }
      passage.attemptFailed({ target, begun, status, errorCode: 'marks_refused' })
      passage.warn({
        code: 'marks_stripped',
        where: 'cache_control',
        detail:
          'the upstream refused cache marks that stood elsewhere in the body of the client: sent again without any',
      })
      this.#withoutMarks = true
      return { kind: 'again', afterMs: 0 }
    }
    const now = house.clock.monotonic()
    const wanted = retryAfterMs(refusal.headers, house.clock.now())
    if (!blameless.has(status)) target.replica.circuit.failed(now)
    if (status === 429 && wanted !== undefined && left.other) target.replica.circuit.pause(now, wanted)
    this.#last = reply
    passage.attemptFailed({ target, begun, status, errorCode: undefined })
    return this.#afterRefusal(reply, wanted ?? retryDelayMs(this.#triesOf(target)), left)
  }

  #afterRefusal(reply: UpstreamReply & UpstreamRefusal, afterMs: number, left: Left): Outcome {
    const { target, headers } = reply
    if (headers['x-should-retry'] === 'false') return { kind: 'reply', reply }
    if (left.other && afterMs > patienceMs) return { kind: 'next' }
    // The last try goes to a replica that has not refused yet.
    if (left.sibling && this.#triesOf(target) >= target.upstream.settings.maxRetries) return { kind: 'next' }
    if (afterMs > longestPauseMs) return { kind: 'reply', reply }
    return { kind: 'again', afterMs }
  }

  #complainsOfOurMarks({ status, body }: UpstreamRefusal, plan: AttemptPlan): boolean {
    return (
      status === 400 &&
      plan.ownMarks &&
      !this.#withoutMarks &&
      /cache_control|cache_breakpoint/.test(body.toString('latin1'))
    )
  }

  #mayTry(target: UpstreamTarget): boolean {
    const { maxRetries } = target.upstream.settings
    return !this.#barred.has(target.upstream.name) && this.#triesOf(target) <= maxRetries + (this.#withoutMarks ? 1 : 0)
  }

  #triesOf({ upstream }: UpstreamTarget): number {
    return this.#tries.get(upstream.name) ?? 0
  }

  #leftAmong(others: readonly UpstreamTarget[], { upstream }: UpstreamTarget): Left {
    const now = this.#input.house.clock.monotonic()
    const open = others.filter((other) => !other.replica.circuit.isOpen(now))
    const left = open.filter((other) => this.#mayTry(other))
    return {
      other: left.length > 0,
      sibling: left.some((other) => other.upstream === upstream),
      unasked: open.some((other) => other.upstream === upstream),
    }
  }

  /** Every circuit was open: say when the first one lets something pass. */
  #allClosed(): never {
    const now = this.#input.house.clock.monotonic()
    const waits = this.#input.targets.map(({ replica }) => replica.circuit.waitMs(now))
    const names = [...new Set(this.#input.targets.map(({ upstream }) => `"${upstream.name}"`))].join(', ')
    const retryAfterSeconds = Math.max(1, Math.ceil(Math.min(...waits) / 1000))
    throw new IncipitError('upstream_unavailable', `no replica of ${names} has answered lately`, { retryAfterSeconds })
  }
}

/** The refusal with as much of its body as has a use, without its content coding; one that breaks off is passed on as far as it came. */
async function refusalOf(answer: UpstreamAnswer): Promise<UpstreamRefusal> {
  const { status, headers } = answer
  const body = await answer.bytes(refusalBytes).catch(() => Buffer.alloc(0))
  const { 'content-encoding': coding, ...others } = headers
  if (coding === undefined || !isKnownCoding(coding)) return { status, headers, body }
  try {
    return { status, headers: others, body: await decodeWhole(body, coding, refusalBytes) }
  } catch {
    // Not in the coding it says: as it came, it says at least that.
    return { status, headers, body }
  }
}
