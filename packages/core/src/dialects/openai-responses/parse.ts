import type { ParseContext } from '../../domain/dialect.ts'
import type { Prompt, PromptIdentity } from '../../domain/prompt.ts'
import type { JsonDocument } from '../../json/json-document.ts'
import { scanJson } from '../../json/scan-json.ts'
import { Field } from '../shared/field.ts'
import { cacheTtlOf, identityOf, isolationKeyOf, modelOf, profileOf, streamOf } from '../shared/prompt-head.ts'
import { inputParts } from '../shared/responses/input-segments.ts'
import { remember } from '../shared/scanned.ts'
import { profileFields } from './wire.ts'

/**
 * Finds what is where in a Responses body; reads no text. Its model and its input may be in a template, an
 * answer or a conversation that the provider keeps: whether they must be here, too, is the provider's to say.
 */
export function parse(body: Uint8Array, context: ParseContext): Prompt {
  const document = scanJson(body)
  const root = Field.root(document)
  const cacheTtl = cacheTtlOf(root)
  const prompt: Prompt = {
    dialect: 'openai-responses',
    body,
    model: root.find('model') === undefined ? (context.pathModel ?? '') : modelOf(root, context.pathModel),
    stream: streamOf(root),
    ...inputParts(root, cacheTtl === '12h' ? '12h' : '30m'),
    profile: profileOf(root, profileFields),
    identity: responsesIdentity(root),
    isolationKey: isolationKeyOf(root),
    cacheTtl,
    prewarms: prewarms(root),
  }
  return remember(prompt, document)
}

/**
 * Whether a scanned body is of this dialect by its shape: some clients send one to the path of Chat
 * Completions, and expect an answer of that dialect.
 *
 * @example looksLikeResponses(scanJson(body)) ? responses.parse(body, {}) : chat.parse(body, {})
 */
export function looksLikeResponses(document: JsonDocument): boolean {
  return isPresent(document, 'input') && !isPresent(document, 'messages')
}

function isPresent(document: JsonDocument, name: string): boolean {
  const node = document.find(0, name)
  return node !== undefined && document.kind(node) !== 'null'
}

function prewarms(root: Field): boolean {
  const options = root.find('prompt_cache_options')
  const prewarm = options?.kind === 'object' ? options.find('prewarm') : undefined
  return prewarm?.kind === 'boolean' && prewarm.boolean()
}

/** `safety_identifier` took the place of `user` in this API. */
function responsesIdentity(root: Field): PromptIdentity {
  const identity = identityOf(root)
  return { ...identity, user: identity.user ?? root.find('safety_identifier')?.string() }
}
