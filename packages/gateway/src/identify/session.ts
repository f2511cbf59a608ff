import type { Hasher, Prompt, PromptIdentity, SessionId } from '@incipit/core'
import { frame, sessionId, toHex } from '@incipit/core'
import type { IncomingMessage } from 'node:http'
import { checkIdentity, identityHeader } from '../receive/receive-head.ts'

/** Which conversation a request belongs to. */
export interface SessionIdentity {
  /** `ses_` and 32 hex digits: a keyed hash, so that the client's own id leaves no trace downstream. */
  readonly session: SessionId
  /** The header or field it was read from; `derived` = from the opening of the prompt. */
  readonly source: string
}

const sessionHeaders = [
  'x-multi-turn-session-id',
  'x-session-affinity',
  'x-claude-code-session-id',
  'session-id',
  'session_id',
  'x-session-id',
] as const

/**
 * The session of a request, the first found of: the headers above in that order, `metadata.user_id`
 * (JSON with `session_id`), `prompt_cache_key`, `conversation`, `user`; else derived from tools, system
 * and the first user message, which a growing conversation keeps.
 *
 * @throws IncipitError `invalid_header` on an id that is too long or holds control characters
 * @example const { session } = identifySession(request, prompt, { hasher, secret })
 */
export function identifySession(
  request: IncomingMessage,
  prompt: Prompt,
  ports: { readonly hasher: Hasher; readonly secret: Uint8Array },
): SessionIdentity {
  const named = fromHeaders(request) ?? fromBody(prompt.identity)
  const fields = named === undefined ? openingOf(prompt) : [named.id]
  return { session: keyedSession(fields, ports), source: named?.source ?? 'derived' }
}

/**
 * The session that a client's own id stands for.
 * @example keyedSession(['ses_12345678'], { hasher, secret }) // 'ses_7931c9af...'
 */
export function keyedSession(
  fields: readonly (string | Uint8Array)[],
  { hasher, secret }: { readonly hasher: Hasher; readonly secret: Uint8Array },
): SessionId {
  const digest = hasher.hmacSha256(secret, frame(['incipit/session/1', ...fields]))
  return sessionId(`ses_${toHex(digest).slice(0, 32)}`)
}

interface NamedSession {
  readonly id: string
  readonly source: string
}

function fromHeaders(request: IncomingMessage): NamedSession | undefined {
  for (const name of sessionHeaders) {
    const id = identityHeader(request, name)
    if (id === undefined) continue
    // Sub-agents of one Claude Code session have prompts of their own: each is a lineage.
    const agent = name === 'x-claude-code-session-id' ? identityHeader(request, 'x-claude-code-agent-id') : undefined
    return { id: agent === undefined ? id : `${id}/${agent}`, source: name }
  }
  return undefined
}

function fromBody(identity: PromptIdentity): NamedSession | undefined {
  const candidates: readonly [string, string | undefined][] = [
    ['metadata.user_id', sessionOfMetadata(identity.metadataUserId)],
    ['prompt_cache_key', identity.promptCacheKey],
    ['conversation', identity.conversation],
    ['user', identity.user],
  ]
  for (const [source, id] of candidates) {
    if (id === undefined || id === '') continue
    checkIdentity(id, { code: 'invalid_request', what: source, param: `/${source.replace('.', '/')}` })
    return { id, source }
  }
  return undefined
}

function sessionOfMetadata(userId: string | undefined): string | undefined {
  if (userId === undefined || !userId.startsWith('{')) return undefined
  try {
    const parsed: unknown = JSON.parse(userId)
    const id = typeof parsed === 'object' && parsed !== null && 'session_id' in parsed ? parsed.session_id : undefined
    return typeof id === 'string' ? id : undefined
  } catch {
    return undefined
  }
}

function openingOf(prompt: Prompt): Uint8Array[] {
  const opening: Uint8Array[] = []
  for (const segment of prompt.segments) {
    opening.push(prompt.body.subarray(segment.span.start, segment.span.end))
    if (segment.role === 'user') break
  }
  return opening
}
