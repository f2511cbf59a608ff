import type { ParseContext } from '../../domain/dialect.ts'
import type { GenerationRequest } from '../../domain/generation.ts'
import type { Hasher } from '../../domain/hasher.ts'
import type { Prompt } from '../../domain/prompt.ts'
import { scanJson } from '../../json/scan-json.ts'
import { chatMessage } from '../shared/chat-messages.ts'
import { chatBreakpoints, messageSegments, messagesOf, toolSegments } from '../shared/chat-segments.ts'
import { toolChoice, toolDefinitions } from '../shared/chat-tools.ts'
import { Field } from '../shared/field.ts'
import { identityOf, isolationKeyOf, modelOf, profileOf, streamOf } from '../shared/prompt-head.ts'
import { refuseFields, refuseFormats } from '../shared/refuse.ts'
import { maxTokensOf, samplingOf, stopOf, topLogprobsOf } from '../shared/sampling.ts'
import { bodyOf, remember } from '../shared/scanned.ts'
import { profileFields } from './wire.ts'

/** Finds what is where in a Chat Completions body; reads no text. */
export function parse(body: Uint8Array, context: ParseContext): Prompt {
  const document = scanJson(body)
  const root = Field.root(document)
  const messages = messagesOf(root)
  const prompt: Prompt = {
    dialect: 'openai-chat',
    body,
    model: modelOf(root, context.pathModel),
    stream: streamOf(root),
    segments: [...toolSegments(root), ...messageSegments(messages)],
    profile: profileOf(root, profileFields),
    breakpoints: chatBreakpoints(root, messages),
    identity: identityOf(root),
    isolationKey: isolationKeyOf(root),
  }
  return remember(prompt, document)
}

/** What a local model is to generate for a Chat Completions body. */
export function toGeneration(prompt: Prompt, hasher: Hasher): GenerationRequest {
  const root = bodyOf(prompt)
  refuseUnsupported(root)
  // Read here so that a wrong type is told before the head of the answer leaves.
  includesUsage(root)
  return {
    messages: messagesOf(root).map((message) => chatMessage(message, hasher)),
    tools: toolDefinitions(root, { bare: false }),
    toolChoice: toolChoice(root),
    sampling: samplingOf(root),
    maxTokens: maxTokensOf(root, ['max_completion_tokens', 'max_tokens']),
    stop: stopOf(root),
    topLogprobs: topLogprobsOf(root),
  }
}

/** Whether a streamed answer is to end with usage. */
export function includesUsage(root: Field): boolean {
  return root.find('stream_options')?.object().find('include_usage')?.boolean() ?? false
}

function refuseUnsupported(root: Field): void {
  refuseFields(root, {
    functions: 'define "tools" instead',
    function_call: 'use "tool_choice" instead',
    audio: 'audio output is not supported',
    web_search_options: 'web search is not supported',
  })
  refuseFormats(root)
  const choices = root.find('n')
  if (choices !== undefined && choices.integer({ min: 1, max: 128 }) !== 1) choices.unsupported('only 1 is supported')
  for (const modality of root.find('modalities')?.elements() ?? []) {
    if (modality.string() !== 'text') modality.unsupported('only "text" is supported')
  }
}
