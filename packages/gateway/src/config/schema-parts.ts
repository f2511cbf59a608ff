import { z } from 'zod'
import { byteSizePattern, parseByteSize } from './byte-size.ts'

// The last text each part is given is what a person reads after "allowed:".

/** A whole number within bounds; `of` says what is counted. */
export const whole = (least: number, most: number, of = ''): z.ZodInt => {
  const allowed = `a whole number${of} from ${least} to ${most}`
  return z.int(allowed).min(least, allowed).max(most, allowed)
}

/** A text that is not empty, of at most `most` UTF-16 units. */
export const text = (allowed: string, most = 4096): z.ZodString => z.string(allowed).min(1, allowed).max(most, allowed)

export const flag: z.ZodBoolean = z.boolean('true or false')

/** What a byte size looks like, in words. */
export const bytesAllowed = 'a number of bytes, such as 2GiB, 512MiB or 1048576'

/** A number of bytes, with or without a unit. */
export const byteSizeOr = (allowed: string): z.ZodType<number, string | number> =>
  z
    .union([z.int(allowed).min(0, allowed), z.string(allowed).regex(byteSizePattern, allowed)], allowed)
    .transform((size, context) => {
      const bytes = typeof size === 'number' ? size : parseByteSize(size)
      if (bytes !== undefined) return bytes
      context.addIssue({ code: 'custom', message: allowed })
      return z.NEVER
    })

export const byteSize: z.ZodType<number, string | number> = byteSizeOr(bytesAllowed)

/** A mapping that refuses keys it does not know. */
export const mapping = <Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> =>
  z.strictObject(shape, {
    // Unknown keys are told apart by their code; this text is for a value that is no mapping.
    error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : 'a mapping of the keys of this section'),
  })
