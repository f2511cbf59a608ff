import type { ParseContext } from '../../domain/dialect.ts'
import type { Prompt } from '../../domain/prompt.ts'
import { scanJson } from '../../json/scan-json.ts'
import { promptParts } from '../shared/anthropic/prompt-parts.ts'
import { messagesOf } from '../shared/chat-segments.ts'
import { Field } from '../shared/field.ts'
import { identityOf, isolationKeyOf, modelOf, profileOf, streamOf } from '../shared/prompt-head.ts'
import { remember } from '../shared/scanned.ts'
import { profileFields } from './wire.ts'

/** Finds what is where in a Messages body, one for counting tokens included; reads no text. */
export function parse(body: Uint8Array, context: ParseContext): Prompt {
  const document = scanJson(body)
  const root = Field.root(document)
  const { segments, breakpoints } = promptParts(root, messagesOf(root))
  const prompt: Prompt = {
    dialect: 'anthropic-messages',
    body,
    model: modelOf(root, context.pathModel),
    stream: streamOf(root),
    segments,
    profile: profileOf(root, profileFields),
    breakpoints,
    identity: identityOf(root),
    isolationKey: isolationKeyOf(root),
    prewarms: root.find('max_tokens')?.raw === '0',
  }
  return remember(prompt, document)
}
