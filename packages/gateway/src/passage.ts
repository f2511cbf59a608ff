import type {
  AnswerUsage,
  Clock,
  Dialect,
  EpochMs,
  ErrorCode,
  IncipitError,
  IsolationScope,
  Milliseconds,
  Prompt,
  PromptReport,
  RequestId,
  SessionId,
  TokenCount,
  Warning,
  WireHash,
} from '@incipit/core'
import { milliseconds } from '@incipit/core'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Caller } from './authenticate/authenticate.ts'
import type { Admission } from './limits/admission.ts'
import type { AttemptPlan } from './plan/plan-attempt.ts'
import type { RequestHead } from './receive/receive-head.ts'
import type { RawUsage } from './relay/usage-scan.ts'
import type { Target } from './route/route.ts'
import type { PromptTrace } from './telemetry/tracing.ts'
import { noTrace } from './telemetry/tracing.ts'

/** What is known of a request once it has a place to go. */
export interface Identified {
  readonly request: IncomingMessage
  readonly caller: Caller
  readonly head: RequestHead
  readonly prompt: Prompt
  /** The client's body in pieces, each time it is to be sent; `prompt.body` is for reading only. */
  readonly toSend: () => Uint8Array[]
  readonly session: SessionId
  /** Whether anything is done for the prefix: as the client asks, and not for the control group. */
  readonly prefixCache: 'on' | 'off'
  /** Drawn for the control group: served as without Incipit. */
  readonly control: boolean
  readonly scope: IsolationScope
  /** Hash of the intended prefix, as the client sent it (M-4). */
  readonly wireHash: WireHash | undefined
  /** Hash of everything before the first message of the user; `undefined` = there is nothing. */
  readonly opening: WireHash | undefined
  /** Below the path of the dialect, for what is not the prompt's own path: `/compact`. Only upstreams of the dialect have those. */
  readonly subpath: string | undefined
  /** Asks for embeddings: it has no prefix that could be met again. */
  readonly embeds?: boolean | undefined
}

/** A try that did not lead to an answer. */
export interface FailedAttempt {
  readonly target: Target
  readonly begun: Milliseconds
  readonly status: number
  readonly errorCode: string | undefined
}

/** The same, when it was over, and with what headers where it was refused. */
interface EndedAttempt extends FailedAttempt {
  readonly ended: Milliseconds
  readonly headers: IncomingHttpHeaders | undefined
}

/** Of the bodies sent to an upstream, what the ledger keeps. */
type SentPlan = Pick<AttemptPlan, 'edits' | 'translated' | 'warnings' | 'dialect'>

/**
 * One request's way through the house: what each stage found out, in the order they found it.
 * `meter` makes rows of the ledger of it, also when the request fails half-way.
 */
export class Passage {
  readonly id: RequestId
  readonly at: EpochMs
  /** The dialect the client speaks. */
  readonly dialect: Dialect
  readonly trace: PromptTrace
  readonly attempts: EndedAttempt[] = []
  readonly #startedAt: number
  readonly #clock: Clock
  #who: Identified | undefined
  #admission: Admission | undefined
  #target: Target | undefined
  #plan: SentPlan | undefined
  #warnings: Warning[] = []
  #report: PromptReport | undefined
  #usage: AnswerUsage | undefined
  #rawUsage: RawUsage | undefined
  #serviceTier: string | undefined
  #headers: IncomingHttpHeaders | undefined
  #output: TokenCount | undefined
  #answerId: string | undefined
  #ttft: Milliseconds | undefined
  #status = 200
  #failure: IncipitError | undefined

  constructor(
    exchange: { readonly id: RequestId; readonly receivedAt: number },
    dialect: Dialect,
    house: { readonly clock: Clock },
    trace: PromptTrace = noTrace,
  ) {
    this.id = exchange.id
    this.dialect = dialect
    this.trace = trace
    this.at = house.clock.now()
    this.#clock = house.clock
    this.#startedAt = exchange.receivedAt
  }

  identified(who: Identified): void {
    this.#who = who
  }

  /** What the request holds of its limits, from now until `leave`. */
  admitted(admission: Admission): void {
    this.#admission = admission
  }

  /** The request is over, however it went. */
  async leave(): Promise<void> {
    await this.#admission?.leave()
  }

  /** The request goes there now; a later call is another attempt. */
  trying(target: Target, plan?: SentPlan): void {
    this.#target = target
    this.#plan = plan
    this.#headers = undefined
  }

  attemptFailed(attempt: FailedAttempt): void {
    this.attempts.push({ ...attempt, headers: this.#headers, ended: this.#clock.monotonic() })
    this.trace.callFailed(attempt)
  }

  /** Something the caller should know, beyond what the plan says. */
  warn(warning: Warning): void {
    this.#warnings.push(warning)
  }

  /** What the engine says about the prompt. */
  prompted(report: PromptReport): void {
    this.#report = report
  }

  /** The first content is about to leave; later calls change nothing. */
  answered(): void {
    this.#ttft ??= this.elapsed
  }

  /** What the answer costs, as far as it is known: also of one that was cancelled. */
  used(usage: AnswerUsage | undefined, raw?: RawUsage): void {
    this.#usage = usage ?? this.#usage
    this.#rawUsage = raw ?? this.#rawUsage
  }

  /** The service tier that the upstream says it served. */
  tiered(serviceTier: string | undefined): void {
    this.#serviceTier ??= serviceTier
  }

  /** An upstream has answered with these headers, or refused. */
  heard(headers: IncomingHttpHeaders): void {
    this.#headers = headers
  }

  /** Tokens generated so far; also what a cancelled answer is charged with. */
  generated(output: TokenCount): void {
    this.#output = output
  }

  /** The upstream's own id of the answer. */
  named(answerId: string | undefined): void {
    this.#answerId ??= answerId
  }

  /** The upstream's own status is passed on. */
  passedOn(status: number): void {
    this.#status = status
  }

  failed(error: IncipitError): void {
    this.#failure = error
  }

  get elapsed(): Milliseconds {
    return milliseconds(Math.round((this.#clock.monotonic() - this.#startedAt) * 1_000) / 1_000)
  }

  get who(): Identified | undefined {
    return this.#who
  }

  get admission(): Admission | undefined {
    return this.#admission
  }

  get target(): Target | undefined {
    return this.#target
  }

  /** Names of the edits applied, in order; `translate-A-B` where the body was written anew. */
  get edits(): readonly string[] {
    const plan = this.#plan
    if (plan === undefined || this.#who === undefined) return []
    return plan.translated
      ? [`translate-${this.#who.prompt.dialect}-${plan.dialect.name}`]
      : plan.edits.map(({ name }) => name)
  }

  get warnings(): readonly Warning[] {
    return this.#plan === undefined ? this.#warnings : [...this.#plan.warnings, ...this.#warnings]
  }

  get report(): PromptReport | undefined {
    return this.#report
  }

  get output(): TokenCount | undefined {
    return this.#output
  }

  get usage(): AnswerUsage | undefined {
    return this.#usage
  }

  get rawUsage(): RawUsage | undefined {
    return this.#rawUsage
  }

  get serviceTier(): string | undefined {
    return this.#serviceTier
  }

  /** Of the upstream that was asked last, where it said anything. */
  get headers(): IncomingHttpHeaders | undefined {
    return this.#headers
  }

  /** The dialect spoken with the upstream. */
  get spoken(): Dialect | undefined {
    return this.#plan?.dialect
  }

  get translated(): boolean {
    return this.#plan?.translated === true
  }

  get answerId(): string | undefined {
    return this.#answerId
  }

  get ttft(): Milliseconds | undefined {
    return this.#ttft
  }

  get status(): number {
    return this.#failure?.status ?? this.#status
  }

  get errorCode(): ErrorCode | undefined {
    return this.#failure?.code
  }
}
