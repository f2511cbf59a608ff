import type { Fingerprint, Hasher, Prompt, PromptIdentity, SessionId } from '@incipit/core'
import { frame, sessionId, toHex, wireHashAt } from '@incipit/core'
import type { IncomingMessage } from 'node:http'
import { checkIdentity, identityHeader } from '../receive/receive-head.ts'
import { KeyedMemo } from './keyed-memo.ts'

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
 * (JSON with `session_id`, or Claude Code's earlier form), `prompt_cache_key`, `conversation`, `user`; else derived from tools, system
 * and the first user message, which a growing conversation keeps.
 *
 * @throws IncipitError `invalid_header` on an id that is too long or holds control characters
 * @example const { session } = identifySession(request, { prompt, print }, { hasher, secret })
 */
export function identifySession(
  request: IncomingMessage,
  { prompt, print }: { readonly prompt: Prompt; readonly print: Pick<Fingerprint, 'chain'> },
  ports: { readonly hasher: Hasher; readonly secret: Uint8Array },
): SessionIdentity {
  const named = fromHeaders(request) ?? fromBody(prompt.identity)
  if (named === undefined) return { session: derivedSession(prompt, print), source: 'derived' }
  return { session: keyedSession([named.id], ports), source: named.source }
}

/**
 * The session that a client's own id stands for.
 * @example keyedSession(['ses_12345678'], { hasher, secret }) // 'ses_7931c9af...'
 */
export function keyedSession(
  fields: readonly string[],
  { hasher, secret }: { readonly hasher: Hasher; readonly secret: Uint8Array },
): SessionId {
  return sessions.of(secret, JSON.stringify(fields), () => {
    const digest = hasher.hmacSha256(secret, frame(['incipit/session/1', ...fields]))
    return sessionId(`ses_${toHex(digest).slice(0, 32)}`)
  })
}

const sessions = new KeyedMemo<SessionId>()

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

/** How Claude Code wrote it before it wrote JSON: `user_..._account_..._session_...`. */
const earlierForm = /^user_.*_session_([0-9a-f-]{36})$/

function sessionOfMetadata(userId: string | undefined): string | undefined {
  if (userId === undefined) return undefined
  if (!userId.startsWith('{')) return earlierForm.exec(userId)?.[1]
  try {
    const parsed: unknown = JSON.parse(userId)
    const id = typeof parsed === 'object' && parsed !== null && 'session_id' in parsed ? parsed.session_id : undefined
    return typeof id === 'string' ? id : undefined
  } catch {
    return undefined
  }
}

/**
 * The chain is seeded by the secret and the scope, and its hash stands for all of an opening up to the first
 * message of the user. It tells no more than `x-incipit-prefix` does.
 */
function derivedSession(prompt: Prompt, { chain }: Pick<Fingerprint, 'chain'>): SessionId {
  const first = prompt.segments.findIndex(({ role }) => role === 'user')
  const end = chain.segmentEnds[first === -1 ? prompt.segments.length - 1 : first]
  return sessionId(`ses_${end === undefined ? noHash : wireHashAt(chain, end)}${derivedMark}`)
}

const noHash = '0'.repeat(16)
/** Ids are 32 digits: these say that nobody named this session. */
const derivedMark = 'de0000000000000d'
