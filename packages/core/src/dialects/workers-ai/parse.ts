import type { ParseContext } from '../../domain/dialect.ts'
import type { Prompt, Segment } from '../../domain/prompt.ts'
import { scanJson } from '../../json/scan-json.ts'
import { messageSegments, messagesOf, toolSegments } from '../shared/chat-segments.ts'
import { Field } from '../shared/field.ts'
import { identityOf, isolationKeyOf, modelOf, profileOf, streamOf } from '../shared/prompt-head.ts'
import { remember } from '../shared/scanned.ts'
import { profileFields } from './wire.ts'

/** Finds what is where in the body of an `ai/run` call: `messages`, or one `prompt`. */
export function parse(body: Uint8Array, context: ParseContext): Prompt {
  const document = scanJson(body)
  const root = Field.root(document)
  const prompt: Prompt = {
    dialect: 'workers-ai',
    body,
    model: modelOf(root, context.pathModel),
    stream: streamOf(root),
    segments: [...toolSegments(root), ...conversation(root), ...imageSegment(root)],
    profile: profileOf(root, profileFields),
    breakpoints: [],
    identity: identityOf(root),
    isolationKey: isolationKeyOf(root),
  }
  return remember(prompt, document)
}

function conversation(root: Field): Segment[] {
  const lone = lonePrompt(root)
  if (lone === undefined) return messageSegments(messagesOf(root))
  lone.string()
  return [{ kind: 'user_message', role: 'user', pointer: lone.pointer, span: lone.span, attachments: [] }]
}

/** Vision models take the image beside the messages. */
function imageSegment(root: Field): Segment[] {
  const image = root.find('image')
  if (image === undefined) return []
  const { pointer, span } = image
  return [{ kind: 'user_message', role: 'user', pointer, span, attachments: [{ kind: 'image', pointer, span }] }]
}

/** `prompt`, where there are no `messages`. */
export function lonePrompt(root: Field): Field | undefined {
  return root.find('messages') === undefined ? root.find('prompt') : undefined
}
