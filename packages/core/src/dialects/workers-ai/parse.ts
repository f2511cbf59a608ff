import type { ParseContext } from '../../domain/dialect.ts'
import type { ChatMessage, GenerationRequest } from '../../domain/generation.ts'
import type { Hasher } from '../../domain/hasher.ts'
import type { Prompt, Segment } from '../../domain/prompt.ts'
import { scanJson } from '../../json/scan-json.ts'
import { defaultMaxTokens } from '../../rules/workers-ai-defaults.ts'
import { chatMessage } from '../shared/chat-messages.ts'
import { messageSegments, messagesOf, toolSegments } from '../shared/chat-segments.ts'
import { toolChoice, toolDefinitions } from '../shared/chat-tools.ts'
import { Field } from '../shared/field.ts'
import { identityOf, isolationKeyOf, modelOf, profileOf, streamOf } from '../shared/prompt-head.ts'
import { refuseFields, refuseFormats } from '../shared/refuse.ts'
import { maxTokensOf, samplingOf, stopOf } from '../shared/sampling.ts'
import { bodyOf, remember } from '../shared/scanned.ts'
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

/** What a local model is to generate for an `ai/run` body. */
export function toGeneration(prompt: Prompt, hasher: Hasher): GenerationRequest {
  const root = bodyOf(prompt)
  refuseUnsupported(root)
  return {
    messages: chatMessages(root, hasher),
    tools: toolDefinitions(root, { bare: true }),
    toolChoice: toolChoice(root),
    sampling: samplingOf(root),
    maxTokens: maxTokensOf(root, ['max_tokens', 'max_completion_tokens']) ?? defaultMaxTokens.value,
    stop: stopOf(root),
    topLogprobs: undefined,
  }
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

function chatMessages(root: Field, hasher: Hasher): ChatMessage[] {
  const lone = lonePrompt(root)
  if (lone !== undefined) return [{ role: 'user', content: lone.string() }]
  return messagesOf(root).map((message) => chatMessage(message, hasher))
}

/** `prompt`, where there are no `messages`. */
function lonePrompt(root: Field): Field | undefined {
  return root.find('messages') === undefined ? root.find('prompt') : undefined
}

function refuseUnsupported(root: Field): void {
  refuseFields(root, {
    image: 'send images as image_url parts of a message',
    lora: 'adapters are not supported',
  })
  refuseFormats(root)
  const raw = root.find('raw')
  if (raw?.boolean() === true) raw.unsupported('prompts without a chat template are not supported')
}
