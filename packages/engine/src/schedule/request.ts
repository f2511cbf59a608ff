import type { CacheBuckets, CacheDiagnosis, GenerationEvent, IncipitError, Sampling } from '@incipit/core'
import type { AnswerPlan } from '../output/answer-plan.ts'

/** A generation as the scheduler takes it: the prompt is tokens by now. */
export interface ScheduledRequest {
  readonly id: string
  /** `IsolationScope.key`. */
  readonly scope: string
  /** Who it takes turns for; `undefined` = its scope, in one session. */
  readonly sharing?: Sharing | undefined
  readonly prompt: Int32Array
  readonly sampling: Sampling
  /** `undefined` = up to the context limit. */
  readonly maxTokens: number | undefined
  readonly stop: readonly string[]
  readonly topLogprobs: number | undefined
  readonly prefixCache: 'on' | 'off'
  /** Beginnings of the prompt to keep once it is evaluated. */
  readonly pins?: readonly PromptPin[] | undefined
  /** How a provider would count the prompt of which so many tokens were reused; called once, when it is evaluated. */
  readonly count?: ((reused: number) => CacheBuckets) | undefined
  /** What is said of its cache beside an earlier prompt's. */
  readonly diagnosis?: CacheDiagnosis | undefined
  /** What the answer may look like; `undefined` = any text. */
  readonly plan?: AnswerPlan | undefined
}

/** Who shares the engine with whom: turns go round organisations, and within one round its sessions. */
export interface Sharing {
  readonly org: string
  readonly session: string
}

/** A beginning of a prompt that is to be kept. */
export interface PromptPin {
  readonly id?: string | undefined
  readonly tokens: number
  readonly ttlMs: number
  /** A request that begins with it starts its life anew. */
  readonly refreshes: boolean
}

/** Where the answers go. Nothing follows a `finish` event or a failure. */
export interface SchedulerSink {
  event(id: string, event: GenerationEvent): void
  fail(id: string, error: IncipitError): void
}
