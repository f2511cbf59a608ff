import { IncipitError } from '@incipit/core'
import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import { header } from '../http/exchange.ts'
import { receiveBytes } from '../receive/receive-body.ts'
import { receiveHead } from '../receive/receive-head.ts'

const maxControlBytes = 64 * 1024

/**
 * The body of a control request, checked against its schema. An empty body counts as `{}`.
 * @param options.anyType JSON is read whatever type the client names. Not from a page: one of another site can send
 * text or a form unasked, but names its origin then
 * @throws IncipitError `invalid_json`, `invalid_request`, `unsupported_media_type`, `body_too_large`
 * @example const { model } = await controlBody(exchange.request, snapshotSchema)
 */
export async function controlBody<Schema extends z.ZodType>(
  request: IncomingMessage,
  schema: Schema,
  { anyType = false }: { readonly anyType?: boolean } = {},
): Promise<z.infer<Schema>> {
  if (!anyType || header(request, 'origin') !== undefined) receiveHead(request)
  const text = new TextDecoder().decode(await receiveBytes(request, maxControlBytes))
  const parsed = schema.safeParse(text.trim() === '' ? {} : parseJson(text))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const pointer = `/${(issue?.path ?? []).map(String).join('/')}`
  throw new IncipitError('invalid_request', `${pointer} ${inWords(issue)}`, { param: pointer })
}

function inWords(issue: z.core.$ZodIssue | undefined): string {
  switch (issue?.code) {
    case 'invalid_type':
      return `${issue.message.endsWith('received undefined') ? 'must be given,' : 'must be'} of the type ${issue.expected}`
    case 'unrecognized_keys':
      return `has no field "${issue.keys.join('", "').slice(0, 120)}"`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`
    case 'too_big':
      return `must be at most ${issue.maximum}`
    case 'too_small':
      return `must be at least ${issue.minimum}`
    default:
      return issue?.message ?? 'is not as expected'
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new IncipitError('invalid_json', `the body is not JSON: ${(cause as Error).message.slice(0, 120)}`, { cause })
  }
}
