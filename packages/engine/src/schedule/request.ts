import type { GenerationEvent, IncipitError, Sampling } from '@incipit/core'

/** A generation as the scheduler takes it: the prompt is tokens by now. */
export interface ScheduledRequest {
  readonly id: string
  /** `IsolationScope.key`. */
  readonly scope: string
  readonly prompt: Int32Array
  readonly sampling: Sampling
  /** `undefined` = up to the context limit. */
  readonly maxTokens: number | undefined
  readonly stop: readonly string[]
  readonly topLogprobs: number | undefined
  readonly prefixCache: 'on' | 'off'
}

/** Where the answers go. Nothing follows a `finish` event or a failure. */
export interface SchedulerSink {
  event(id: string, event: GenerationEvent): void
  fail(id: string, error: IncipitError): void
}
