import { z } from 'zod'
import { hasZstd } from './body-encoder.ts'

const count = z.int().min(1).max(1e9)
const milliseconds = z.number().min(0).max(86_400_000)

/** What can go wrong on demand, as given to `fault()` and to `POST /admin/faults`. Everything given applies together. */
export interface FaultSpec {
  /** A part of the path; without it every request matches. */
  readonly match?: string | undefined
  /** For how many matching requests: 1 unless given. */
  readonly times?: number | 'always' | undefined
  /** Lets so many matching requests through first. */
  readonly after?: number | undefined

  /** Answers with this status instead, in the provider's words unless `body` is given. */
  readonly status?: number | undefined
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>> | undefined

  readonly delay_head_ms?: number | undefined
  readonly delay_event_ms?: number | undefined
  /** Closes the connection: before the head, or after so many bytes of the body. */
  readonly drop?: 'before-head' | number | undefined
  /** Says nothing more and stays open: before the head, or after so many bytes of the body. */
  readonly stall?: 'before-head' | number | undefined

  /** Cuts the JSON of the body, or of one event, in half. */
  readonly malformed_json?: boolean | undefined
  /** Puts the provider's error event behind so many events and ends there. */
  readonly error_event?: number | undefined
  /** Ends the stream without its terminal event. */
  readonly no_terminal?: boolean | undefined
  /** Repeats the content for ever. */
  readonly endless?: boolean | undefined
  /** An answer text of so many bytes. */
  readonly huge_bytes?: number | undefined
  /** Takes usage out of everything. */
  readonly missing_usage?: boolean | undefined
  /** Sends one more frame behind the end: the given data, or one of our own. */
  readonly trailing_frame?: boolean | string | undefined

  readonly encoding?: 'gzip' | 'deflate' | 'br' | 'zstd' | undefined
  /** Lines of the stream end with CRLF. */
  readonly crlf?: boolean | undefined
  /** Writes the body in pieces of so many bytes. */
  readonly split_every?: number | undefined
}

/** Checks a fault; a member it does not know is refused. */
export const faultSchema: z.ZodType<FaultSpec> = z.strictObject({
  match: z.string().optional(),
  times: z.union([count, z.literal('always')]).optional(),
  after: z.int().min(0).optional(),
  status: z.int().min(200).max(599).optional(),
  body: z.unknown().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  delay_head_ms: milliseconds.optional(),
  delay_event_ms: milliseconds.optional(),
  drop: z.union([z.literal('before-head'), z.int().min(0)]).optional(),
  stall: z.union([z.literal('before-head'), z.int().min(0)]).optional(),
  malformed_json: z.boolean().optional(),
  error_event: z.int().min(0).optional(),
  no_terminal: z.boolean().optional(),
  endless: z.boolean().optional(),
  huge_bytes: z.int().min(1).max(1e9).optional(),
  missing_usage: z.boolean().optional(),
  trailing_frame: z.union([z.boolean(), z.string()]).optional(),
  encoding: z
    .enum(['gzip', 'deflate', 'br', 'zstd'])
    .refine((name) => name !== 'zstd' || hasZstd(), {
      error: `zstd needs Node 22.15 or newer, this is ${process.version}`,
    })
    .optional(),
  crlf: z.boolean().optional(),
  split_every: z.int().min(1).optional(),
})

/** The faults that wait for their requests, in the order in which they were given. */
export class FaultPlan {
  #waiting: { readonly spec: FaultSpec; skip: number; left: number }[] = []

  /** @throws ZodError when the spec is not one */
  add(spec: FaultSpec): void {
    const checked = faultSchema.parse(spec)
    this.#waiting.push({
      spec: checked,
      skip: checked.after ?? 0,
      left: checked.times === 'always' ? Infinity : (checked.times ?? 1),
    })
  }

  /** The fault for a request to this path; uses one of its times up. */
  take(path: string): FaultSpec | undefined {
    const found = this.#waiting.find(({ spec }) => path.includes(spec.match ?? ''))
    if (found === undefined) return undefined
    if (found.skip > 0) {
      found.skip -= 1
      return undefined
    }
    found.left -= 1
    if (found.left <= 0) this.#waiting = this.#waiting.filter((entry) => entry !== found)
    return found.spec
  }

  pending(): readonly FaultSpec[] {
    return this.#waiting.map(({ spec }) => spec)
  }

  clear(): void {
    this.#waiting = []
  }
}
