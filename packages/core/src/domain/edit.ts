/** One named change to a body: `replacement` stands where bytes `[start, end)` of the client's body stood. */
export interface Edit {
  /** What was done, for people: for example `inject-usage`, `strip-gateway-field`. */
  readonly name: string
  readonly start: number
  readonly end: number
  readonly replacement: Uint8Array
  readonly why: string
}
