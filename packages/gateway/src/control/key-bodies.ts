import { z } from 'zod'
import { instant, limitsSchema, scopesSchema } from '../config/limits-schema.ts'
import type { Scopes } from '../keys/scopes.ts'
import type { Limits } from '../limits/limits.ts'

/** Body of `POST /v1/keys`, read. */
export interface NewKeyBody {
  readonly name: string
  readonly org: string
  readonly role: 'member' | 'admin'
  readonly scopes?: Scopes | undefined
  readonly limits?: Limits | undefined
  /** Milliseconds since 1970. */
  readonly expires_at?: number | null | undefined
  readonly disabled: boolean
  readonly metadata: Record<string, unknown>
}

/** Body of `PATCH /v1/keys/{id}`, read: what is left out stays; scopes, limits and metadata are replaced as a whole. */
export interface KeyPatchBody {
  readonly name?: string | undefined
  readonly role?: 'member' | 'admin' | undefined
  readonly scopes?: Scopes | null | undefined
  readonly limits?: Limits | null | undefined
  readonly expires_at?: number | null | undefined
  readonly disabled?: boolean | undefined
  readonly metadata?: Record<string, unknown> | undefined
}

const mostMetadataBytes = 4_096
const longestGraceSeconds = 7 * 24 * 3_600

const label = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => !/[\p{Cc}\p{Cs}]/u.test(text), 'must have no control characters')

const metadata = z
  .record(z.string(), z.unknown())
  .refine(
    (value) => Buffer.byteLength(JSON.stringify(value)) <= mostMetadataBytes,
    `must be at most ${mostMetadataBytes} bytes of JSON`,
  )

const role = z.enum(['member', 'admin'])

export const newKeySchema: z.ZodType<NewKeyBody> = z.strictObject({
  name: label,
  org: label,
  role: role.default('member'),
  scopes: scopesSchema.optional(),
  limits: limitsSchema.optional(),
  expires_at: instant.nullish(),
  disabled: z.boolean().default(false),
  metadata: metadata.default({}),
})

export const keyPatchSchema: z.ZodType<KeyPatchBody> = z.strictObject({
  name: label.optional(),
  role: role.optional(),
  scopes: scopesSchema.nullish(),
  limits: limitsSchema.nullish(),
  expires_at: instant.nullish(),
  disabled: z.boolean().optional(),
  metadata: metadata.optional(),
})

/** Body of `POST /v1/keys/{id}/rotate`. */
export const rotationSchema: z.ZodType<{ readonly grace_seconds: number }> = z.strictObject({
  grace_seconds: z.int().min(0).max(longestGraceSeconds).default(0),
})
