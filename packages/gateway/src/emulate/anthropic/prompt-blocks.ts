import { countTokens } from '../count-tokens.ts'
import { digest } from '../digest.ts'
import { inAnyOrder } from '../in-any-order.ts'
import type { JsonObject } from '../json.ts'
import { given, listOf, objectOf, textOf } from '../json.ts'
import type { KeyOwner } from '../provider.ts'
import type { AnthropicModel } from './models.ts'
import type { Switch, SwitchLevel } from './rules.ts'
import { attachmentTokens, cacheRules } from './rules.ts'

/** The levels of a prompt in the order in which they are processed. */
export type Level = 'tools' | 'system' | 'messages'

/** One block of the prompt, in the order tools, system, messages. */
export interface PromptBlock {
  readonly level: Level
  /** Where it stands, as errors name it. */
  readonly path: string
  readonly type: string
  /** The hash of the prompt up to and including this block. */
  readonly hash: string
  /** Tokens up to and including this block. */
  readonly end: number
  /** Its own `cache_control`. */
  readonly mark: JsonObject | undefined
  /** A breakpoint may stand here. */
  readonly markable: boolean
}

interface RawBlock extends Omit<PromptBlock, 'hash' | 'end'> {
  readonly content: string
  readonly tokens: number
}

/** Takes a checked request apart into hashed, counted blocks. */
export function promptBlocks(
  body: JsonObject,
  model: AnthropicModel,
  owner: Required<KeyOwner>,
): readonly PromptBlock[] {
  const raw = [...toolBlocks(body), ...systemBlocks(body), ...messageBlocks(body, model)]
  const switches = switchesOf(body)
  let hash = digest('scope', owner.org, owner.workspace, model.id, String(body['model']))
  let level: Level = 'tools'
  let end = 0
  return raw.map(({ content, tokens, ...block }) => {
    while (level !== block.level) {
      level = level === 'tools' ? 'system' : 'messages'
      hash = digest(hash, level, ...switches[level])
    }
    hash = digest(hash, content)
    end += tokens
    return { ...block, hash, end }
  })
}

function toolBlocks(body: JsonObject): readonly RawBlock[] {
  const blocks = listOf(body['tools'])
    .map(objectOf)
    .flatMap((tool, index): RawBlock[] => {
      // Deferred tools are not in the prompt until they are found.
      if (tool['defer_loading'] === true) return []
      const content = inAnyOrder(withoutMark(tool))
      const level = isWebSearch(tool) ? cacheRules.webSearchLevel.value : 'tools'
      const place = { level, path: `tools.${index}`, type: 'tool' } as const
      return [
        {
          ...place,
          content,
          tokens: countTokens(JSON.stringify(withoutMark(tool))),
          mark: markOf(tool),
          markable: true,
        },
      ]
    })
  return [...blocks.filter(({ level }) => level === 'tools'), ...blocks.filter(({ level }) => level !== 'tools')]
}

function systemBlocks(body: JsonObject): readonly RawBlock[] {
  return blocksOf(body['system']).flatMap((block, index) => {
    const rest = index === 0 ? withoutBillingLine(block) : block
    return rest === undefined ? [] : [rawBlock(rest, { level: 'system', role: 'system', path: `system.${index}` })]
  })
}

/** The line of Claude Code that is another one in every request is no part of the prompt; `undefined` = nothing is left. */
function withoutBillingLine(block: JsonObject): JsonObject | undefined {
  const text = textOf(block['text'])
  if (text?.startsWith(cacheRules.billingLine.value) !== true) return block
  const end = text.indexOf('\n')
  return end === -1 ? undefined : { ...block, text: text.slice(end + 1) }
}

function messageBlocks(body: JsonObject, model: AnthropicModel): readonly RawBlock[] {
  const messages = listOf(body['messages']).map(objectOf)
  const lastPlainUser = messages.findLastIndex((message) => message['role'] === 'user' && !hasToolResult(message))
  return messages.flatMap((message, index) =>
    blocksOf(message['content'])
      .map((block, at) =>
        rawBlock(block, { level: 'messages', role: String(message['role']), path: `messages.${index}.content.${at}` }),
      )
      .filter(({ type }) => model.keepsThinking || index > lastPlainUser || !type.endsWith('thinking')),
  )
}

function hasToolResult(message: JsonObject): boolean {
  return blocksOf(message['content']).some((block) => block['type'] === 'tool_result')
}

/** A string is one text block. */
function blocksOf(content: unknown): readonly JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return listOf(content).map(objectOf)
}

function rawBlock(
  block: JsonObject,
  place: { readonly level: Level; readonly role: string; readonly path: string },
): RawBlock {
  const type = textOf(block['type']) ?? ''
  const { role, ...rest } = place
  const empty = type === 'text' && block['text'] === ''
  return {
    ...rest,
    type,
    content: `${role}\n${contentOf(block, type)}`,
    tokens: tokensOf(block, type),
    mark: markOf(block),
    markable: !empty && cacheRules.markableBlocks.value.includes(type),
  }
}

/** What takes part in the exact match. The order of members counts inside `input`, not around it. */
function contentOf(block: JsonObject, type: string): string {
  const citations = given(block['citations']) && objectOf(block['citations'])['enabled'] !== false
  switch (type) {
    case 'text':
      return JSON.stringify([type, block['text'], Array.isArray(block['citations']) ? block['citations'] : null])
    case 'tool_use':
      return JSON.stringify([type, block['id'], block['name'], block['input']])
    case 'tool_result':
      return JSON.stringify([
        type,
        block['tool_use_id'],
        block['is_error'] === true,
        toolResultContent(block['content']),
      ])
    case 'document':
      return JSON.stringify([type, block['source'], block['title'] ?? null, block['context'] ?? null, citations])
    default:
      return inAnyOrder(withoutMark(block))
  }
}

function toolResultContent(content: unknown): unknown {
  return blocksOf(content).map((part) => (part['type'] === 'text' ? part['text'] : part))
}

function tokensOf(block: JsonObject, type: string): number {
  const source = objectOf(block['source'])
  switch (type) {
    case 'text':
      return countTokens(textOf(block['text']) ?? '')
    case 'image':
      return attachmentTokens.value.image
    case 'document':
      return source['type'] === 'text' ? countTokens(textOf(source['data']) ?? '') : attachmentTokens.value.document
    case 'tool_use':
      return countTokens(textOf(block['name']) ?? '') + countTokens(JSON.stringify(block['input']))
    case 'tool_result':
      return blocksOf(block['content']).reduce((sum, part) => sum + tokensOf(part, textOf(part['type']) ?? ''), 0)
    case 'thinking':
      return countTokens(textOf(block['thinking']) ?? '')
    default:
      return countTokens(JSON.stringify(withoutMark(block)))
  }
}

/** The switches that enter the hash at each level. A default written out is no switch. */
function switchesOf(body: JsonObject): Readonly<Record<SwitchLevel, readonly string[]>> {
  const values: Readonly<Record<Switch, unknown>> = {
    citations: [...blocksOf(body['system']), ...allMessageBlocks(body)].some(
      (block) => objectOf(block['citations'])['enabled'] === true,
    ),
    speed: body['speed'] === 'standard' ? null : (body['speed'] ?? null),
    tool_choice: toolChoiceOf(objectOf(body['tool_choice'])),
    images: allMessageBlocks(body).some(hasImage),
    thinking: objectOf(body['thinking'])['type'] === 'disabled' ? null : (body['thinking'] ?? null),
    effort: effortOf(objectOf(body['output_config'])['effort']),
  }
  const format = objectOf(body['output_config'])['format'] ?? body['output_format'] ?? null
  const at = (level: SwitchLevel): readonly string[] => [
    ...Object.entries(cacheRules.switches.value)
      .filter(([, wanted]) => wanted === level)
      .map(([name]) => `${name}=${JSON.stringify(values[name as Switch])}`),
    ...(cacheRules.outputFormatLevel.value === level ? [`format=${JSON.stringify(format)}`] : []),
  ]
  return { system: at('system'), messages: at('messages') }
}

function toolChoiceOf(choice: JsonObject): unknown {
  const { type = 'auto', name = null, disable_parallel_tool_use: serial = false } = choice
  return type === 'auto' && serial !== true ? null : [type, name, serial]
}

/** `high` is the default. */
function effortOf(effort: unknown): unknown {
  return effort === 'high' ? null : (effort ?? null)
}

function allMessageBlocks(body: JsonObject): readonly JsonObject[] {
  return listOf(body['messages']).flatMap((message) => blocksOf(objectOf(message)['content']))
}

function hasImage(block: JsonObject): boolean {
  return block['type'] === 'image' || listOf(block['content']).some((part) => objectOf(part)['type'] === 'image')
}

function isWebSearch(tool: JsonObject): boolean {
  return textOf(tool['type'])?.startsWith('web_search_') === true
}

function markOf(holder: JsonObject): JsonObject | undefined {
  return given(holder['cache_control']) ? objectOf(holder['cache_control']) : undefined
}

function withoutMark(holder: JsonObject): JsonObject {
  const { cache_control: _mark, ...rest } = holder
  return rest
}
