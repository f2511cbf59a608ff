/** What a provider answers with an error status. Its message names fields and counts, never prompt text. */
export class Refusal extends Error {
  readonly status: number
  readonly type: string | undefined
  readonly param: string | undefined
  readonly code: string | undefined

  constructor(
    status: number,
    message: string,
    details: { readonly type?: string; readonly param?: string; readonly code?: string } = {},
  ) {
    super(message)
    this.name = 'Refusal'
    this.status = status
    this.type = details.type
    this.param = details.param
    this.code = details.code
  }
}
