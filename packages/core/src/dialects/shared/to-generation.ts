import type { Block, Conversation, ExtraField, Tool, Turn } from '../../domain/conversation.ts'
import { IncipitError } from '../../domain/errors.ts'
import type { ChatMessage, GenerationRequest, ToolCall, ToolDefinition } from '../../domain/generation.ts'
import type { Hasher } from '../../domain/hasher.ts'
import { attachmentMarker } from './attachment-marker.ts'
import { samplingOf } from './sampling.ts'
import { templateSwitches } from './template-switches.ts'

/** What a tool without parameters takes. */
const noParameters = '{"type":"object","properties":{}}'

/** Top-level members that a local model cannot honour: to pass over them would answer another question. */
const refusals: Readonly<Record<string, (extra: ExtraField) => void>> = {
  functions: refuse('define "tools" instead'),
  function_call: refuse('use "tool_choice" instead'),
  audio: refuse('audio output is not supported'),
  web_search_options: refuse('web search is not supported'),
  image: refuse('send images as image_url parts of a message'),
  lora: refuse('adapters are not supported'),
  n: refuse('only 1 is supported'),
  tool_choice: refuse('only the choice of one function is supported', '/type'),
  response_format: refuse('only "text", "json_object" and "json_schema" with a "schema" are supported', '/type'),
  modalities: refuseModalities,
  raw: (extra) => {
    if (extra.json !== 'false') unsupported(extra.pointer, 'prompts without a chat template are not supported')
  },
}

/**
 * What a local model is to generate for a conversation of any dialect. Attachments stand in the text as
 * digests of their bytes; cache marks are left out: the engine caches every prefix. Thinking of earlier
 * turns goes along where it is readable, for the template to keep or to drop; what is encrypted is left out,
 * as no local model could read it.
 *
 * @throws IncipitError `unsupported_feature` naming the pointer of what a local model cannot honour
 * @example toGeneration(dialect.read(prompt), hasher)
 */
export function toGeneration(conversation: Conversation, hasher: Hasher): GenerationRequest {
  const { settings, extras, turns, tools } = conversation
  for (const extra of extras) {
    if (Object.hasOwn(refusals, extra.name)) refusals[extra.name]?.(extra)
  }
  return {
    messages: turns.flatMap((turn) => messageBlocks(turn).map((blocks) => messageOf(turn, blocks, hasher))),
    tools: tools.map(toolDefinition),
    toolChoice: settings.toolChoice ?? 'auto',
    parallelToolCalls: settings.parallelToolCalls ?? true,
    format: settings.format,
    sampling: samplingOf(settings),
    maxTokens: settings.maxOutputTokens,
    stop: settings.stop,
    topLogprobs: settings.topLogprobs,
    switches: templateSwitches(conversation),
  }
}

/** The blocks of each message of a turn: a tool result is one of its own, what stands around it another. */
export function messageBlocks(turn: Turn): readonly (readonly Block[])[] {
  const messages: Block[][] = []
  let said: Block[] | undefined
  for (const block of turn.blocks) {
    if (block.kind === 'tool-result') {
      messages.push([block])
      said = undefined
      continue
    }
    if (said === undefined) messages.push((said = []))
    said.push(block)
  }
  return messages.length > 0 ? messages : [[]]
}

function resultMessage(turn: Turn, block: Extract<Block, { kind: 'tool-result' }>, hasher: Hasher): ChatMessage {
  return {
    role: 'tool',
    content: textOf(block.blocks, hasher),
    ...(turn.name === undefined ? {} : { name: turn.name }),
    ...(block.callId === '' ? {} : { toolCallId: block.callId }),
  }
}

function messageOf(turn: Turn, blocks: readonly Block[], hasher: Hasher): ChatMessage {
  const [first] = blocks
  if (first?.kind === 'tool-result') return resultMessage(turn, first, hasher)
  const toolCalls = blocks.flatMap((block): ToolCall[] =>
    block.kind === 'tool-call' ? [{ id: block.id, name: block.name, arguments: block.arguments }] : [],
  )
  const thoughts = blocks.flatMap((block) => (block.kind === 'thinking' && block.text !== '' ? [block.text] : []))
  return {
    role: turn.role,
    content: textOf(blocks, hasher),
    ...(thoughts.length === 0 ? {} : { reasoning: thoughts.join('\n') }),
    ...(turn.name === undefined ? {} : { name: turn.name }),
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
  }
}

/** Texts joined by a line feed; attachments stand among them as markers. */
function textOf(blocks: readonly Block[], hasher: Hasher): string {
  return blocks.flatMap((block) => blockText(block, hasher)).join('\n')
}

/** What a block adds to the text of its message; nothing where it stands elsewhere, or nowhere. */
export function blockText(block: Block, hasher: Hasher): string[] {
  switch (block.kind) {
    case 'text':
    case 'refusal':
      return [block.text]
    case 'image':
    case 'document':
    case 'audio':
      return [attachmentMarker(block, hasher)]
    case 'thinking':
    case 'redacted-thinking':
    case 'tool-call':
      return []
    case 'tool-result':
      return [textOf(block.blocks, hasher)]
    case 'opaque':
      return unsupported(`${block.pointer}/type`, 'only text, refusal, image, audio and file content is supported')
    default:
      return block satisfies never
  }
}

function toolDefinition(tool: Tool): ToolDefinition {
  if (tool.kind === 'hosted') return unsupported(`${tool.pointer}/type`, 'only function tools are supported')
  return {
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    parametersJson: tool.schemaJson ?? noParameters,
    ...(tool.strict === undefined ? {} : { strict: tool.strict }),
    pointer: tool.pointer,
  }
}

function refuse(why: string, member = ''): (extra: ExtraField) => never {
  return ({ pointer }) => unsupported(pointer + member, why)
}

function refuseModalities({ pointer, json }: ExtraField): void {
  const modalities = JSON.parse(json) as unknown
  const index = Array.isArray(modalities) ? modalities.findIndex((modality) => modality !== 'text') : -1
  unsupported(index === -1 ? pointer : `${pointer}/${index}`, 'only "text" is supported')
}

function unsupported(pointer: string, what: string): never {
  throw new IncipitError('unsupported_feature', `${pointer}: ${what}`, { param: pointer })
}
