/**
 * A refused or failed call: status of the HTTP answer, first code and messages of its envelope; or the
 * address that gave no answer.
 * @example if (error instanceof AiBindingError && error.status === 503) await later()
 */
export class AiBindingError extends Error {
  override readonly name = 'AiBindingError'
  /** `undefined` when there was no answer. */
  readonly status: number | undefined
  /** `undefined` when the answer was no envelope. */
  readonly code: number | string | undefined

  constructor(
    message: string,
    detail: {
      readonly status: number | undefined
      readonly code?: number | string | undefined
      readonly cause?: unknown
    },
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.status = detail.status
    this.code = detail.code
  }
}
