import type { ParseContext } from '../../domain/dialect.ts'
import type { Prompt } from '../../domain/prompt.ts'
import { scanJson } from '../../json/scan-json.ts'
import { chatBreakpoints, messageSegments, messagesOf, toolSegments } from '../shared/chat-segments.ts'
import { Field } from '../shared/field.ts'
import { cacheTtlOf, identityOf, isolationKeyOf, modelOf, profileOf, streamOf } from '../shared/prompt-head.ts'
import { remember } from '../shared/scanned.ts'
import { profileFields } from './wire.ts'

/** Finds what is where in a Chat Completions body; reads no text. */
export function parse(body: Uint8Array, context: ParseContext): Prompt {
  const document = scanJson(body)
  const root = Field.root(document)
  const messages = messagesOf(root)
  const cacheTtl = cacheTtlOf(root)
  const prompt: Prompt = {
    dialect: 'openai-chat',
    body,
    model: modelOf(root, context.pathModel),
    stream: streamOf(root),
    segments: [...toolSegments(root), ...messageSegments(messages)],
    profile: profileOf(root, profileFields),
    breakpoints: chatBreakpoints(messages, cacheTtl === '12h' ? '12h' : '30m'),
    identity: identityOf(root),
    isolationKey: isolationKeyOf(root),
    cacheTtl,
  }
  return remember(prompt, document)
}
