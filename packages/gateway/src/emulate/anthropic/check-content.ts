import type { JsonObject } from '../json.ts'
import { given, isObject, listOf, objectOf, textOf } from '../json.ts'
import type { AnthropicModel } from './models.ts'
import { blockFields, cacheRules, imageTypes } from './rules.ts'
import { hasValidSignature } from './sign-thinking.ts'
import { refuse } from './wording.ts'

/** @throws Refusal when a tool is not one */
export function checkTools(tools: unknown): void {
  if (!given(tools)) return
  if (!Array.isArray(tools)) throw refuse('wrongType', 'tools', 'list')
  const names = new Set<unknown>()
  for (const [index, entry] of tools.entries()) {
    const tool = objectOf(entry)
    const type = textOf(tool['type']) ?? 'custom'
    const at = `tools.${index}.${type}`
    if (textOf(tool['name']) === undefined && type === 'custom') throw refuse('required', `${at}.name`)
    if (names.has(tool['name'])) throw refuse('duplicateTool', 'tools')
    names.add(tool['name'])
    checkKnownFields(tool, type, at)
    checkMark(tool, at)
    if (type === 'custom' && !isObject(tool['input_schema'])) throw refuse('required', `${at}.input_schema`)
    if (tool['defer_loading'] === true && given(tool['cache_control']))
      throw refuse('deferredMark', `tools.${index}`, String(tool['name']))
  }
}

/** @throws Refusal when the system prompt is neither text nor text blocks */
export function checkSystem(system: unknown): void {
  if (!given(system) || typeof system === 'string') return
  if (!Array.isArray(system)) throw refuse('wrongType', 'system', 'string or list')
  for (const [index, block] of system.entries()) {
    const at = `system.${index}`
    if (objectOf(block)['type'] !== 'text') throw refuse('oneOf', `${at}.type`, "'text'")
    checkBlock(objectOf(block), at)
  }
}

/** @throws Refusal for roles, blocks, tool results and signatures that do not fit */
export function checkMessages(body: JsonObject, model: AnthropicModel): void {
  const messages = body['messages']
  if (!given(messages)) throw refuse('required', 'messages')
  if (!Array.isArray(messages)) throw refuse('wrongType', 'messages', 'list')
  if (messages.length === 0) throw refuse('noMessages')
  for (const [index, message] of messages.entries()) checkMessage(message, `messages.${index}`)
  checkRoles(messages, model)
  checkToolPairs(messages)
  checkThinkingHistory(body)
}

function checkMessage(message: unknown, at: string): void {
  if (!isObject(message)) throw refuse('wrongType', at, 'dictionary')
  for (const field of ['role', 'content']) if (!given(message[field])) throw refuse('required', `${at}.${field}`)
  for (const field of Object.keys(message)) {
    if (!['role', 'content', 'output_config', 'clear_at'].includes(field)) throw refuse('extra', `${at}.${field}`)
  }
  const { content } = message
  if (typeof content === 'string') {
    if (content === '') throw refuse('emptyText', at)
    return
  }
  if (!Array.isArray(content)) throw refuse('wrongType', `${at}.content`, 'list')
  for (const [index, block] of content.entries()) {
    if (!isObject(block)) throw refuse('wrongType', `${at}.content.${index}`, 'dictionary')
    checkBlock(block, `${at}.content.${index}`)
  }
}

function checkBlock(block: JsonObject, at: string): void {
  const type = textOf(block['type'])
  if (type === undefined) throw refuse('required', `${at}.type`)
  checkKnownFields(block, type, `${at}.${type}`)
  checkMark(block, `${at}.${type}`)
  if (type === 'text') checkText(block, at)
  if (type === 'image' || type === 'document') checkSource(objectOf(block['source']), `${at}.${type}.source`)
  if (type === 'tool_use' && !isObject(block['input'])) throw refuse('wrongType', `${at}.tool_use.input`, 'dictionary')
  if (type === 'thinking' && !hasValidSignature(block)) throw refuse('badSignature', at)
  if (type === 'tool_result') checkToolResult(block, `${at}.tool_result`)
}

function checkText(block: JsonObject, at: string): void {
  const text = textOf(block['text'])
  if (text === undefined) throw refuse('required', `${at}.text.text`)
  if (text !== '') return
  throw given(block['cache_control'])
    ? refuse('emptyMark', `${at}.text`)
    : refuse('emptyText', at.replace(/\.\d+(?:\.content\.\d+)?$/, ''))
}

function checkToolResult(block: JsonObject, at: string): void {
  if (textOf(block['tool_use_id']) === undefined) throw refuse('required', `${at}.tool_use_id`)
  for (const [index, part] of listOf(block['content']).entries()) {
    const inner = objectOf(part)
    const where = `${at}.content.${index}`
    // What stands inside a block cannot be marked: the block itself can.
    if (given(inner['cache_control'])) throw refuse('extra', `${where}.${String(inner['type'])}.cache_control`)
    if (inner['type'] === 'image') checkSource(objectOf(inner['source']), `${where}.image.source`)
  }
}

function checkKnownFields(block: JsonObject, type: string, at: string): void {
  const known = Object.hasOwn(blockFields.value, type) ? blockFields.value[type] : undefined
  if (known === undefined) return
  for (const field of Object.keys(block)) if (!known.includes(field)) throw refuse('extra', `${at}.${field}`)
}

function checkSource(source: JsonObject, at: string): void {
  if (source['type'] !== 'base64') return
  const mediaType = textOf(source['media_type']) ?? ''
  const allowed = at.endsWith('document.source') ? ['application/pdf'] : imageTypes.value
  if (!allowed.includes(mediaType)) {
    throw refuse(
      'oneOf',
      `${at}.base64.media_type`,
      allowed
        .map((type) => `'${type}'`)
        .join(', ')
        .replace(/, ([^,]*)$/, ' or $1'),
    )
  }
  const data = textOf(source['data'])
  if (data === undefined) throw refuse('required', `${at}.base64.data`)
  if (data === '' || data.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(data))
    throw refuse('badBase64', `${at}.base64`)
}

/** @throws Refusal when `cache_control` is there and not a mark */
export function checkMark(holder: JsonObject, at: string): void {
  const mark = holder['cache_control']
  if (!given(mark)) return
  const where = at === '' ? 'cache_control' : `${at}.cache_control`
  if (!isObject(mark)) throw refuse('wrongType', where, 'dictionary')
  if (mark['type'] !== 'ephemeral') throw refuse('oneOf', `${where}.type`, "'ephemeral'")
  for (const field of Object.keys(mark))
    if (!['type', 'ttl'].includes(field)) throw refuse('extra', `${where}.ephemeral.${field}`)
  if (given(mark['ttl']) && !Object.hasOwn(cacheRules.ttls.value, String(mark['ttl']))) {
    throw refuse('oneOf', `${where}.ephemeral.ttl`, "'5m' or '1h'")
  }
}

function checkRoles(messages: readonly unknown[], model: AnthropicModel): void {
  for (const [index, message] of messages.entries()) {
    const { role } = objectOf(message)
    if (role === 'system' && !(model.systemMessages && index > 0)) throw refuse('systemRole', `messages.${index}.role`)
    if (!['user', 'assistant', 'system'].includes(textOf(role) ?? ''))
      throw refuse('oneOf', `messages.${index}.role`, "'user' or 'assistant'")
  }
  if (objectOf(messages[0])['role'] !== 'user') throw refuse('firstRole')
}

function checkToolPairs(messages: readonly unknown[]): void {
  for (const [index, message] of messages.entries()) {
    const called = idsIn(message, 'tool_use', 'id')
    const next = messages[index + 1]
    const missing = called.filter((id) => !idsIn(next, 'tool_result', 'tool_use_id').includes(id))
    if (missing.length > 0) throw refuse('missingResult', `messages.${index}`, missing.join(', '))
    const before = idsIn(messages[index - 1], 'tool_use', 'id')
    const blocks = listOf(objectOf(message)['content']).map(objectOf)
    const stray = blocks.findIndex(
      (block) => block['type'] === 'tool_result' && !before.includes(String(block['tool_use_id'])),
    )
    if (stray >= 0)
      throw refuse('strayResult', `messages.${index}.content.${stray}`, String(blocks[stray]?.['tool_use_id']))
  }
}

function idsIn(message: unknown, type: string, field: string): readonly string[] {
  return listOf(objectOf(message)['content'])
    .map(objectOf)
    .filter((block) => block['type'] === type)
    .map((block) => String(block[field]))
}

/** With thinking on, the turn that called the tools just answered has to begin with its thinking. */
function checkThinkingHistory(body: JsonObject): void {
  if (objectOf(body['thinking'])['type'] !== 'enabled') return
  const messages = listOf(body['messages']).map(objectOf)
  const last = messages.length - 1
  if (idsIn(messages[last], 'tool_result', 'tool_use_id').length === 0) return
  const first = objectOf(listOf(messages[last - 1]?.['content'])[0])
  if (['thinking', 'redacted_thinking'].includes(textOf(first['type']) ?? '')) return
  throw refuse('thinkingFirst', `messages.${last - 1}.content.0.type`, String(first['type']))
}
