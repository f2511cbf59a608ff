import type { Conversation } from '../../domain/conversation.ts'
import type { WriteTarget, WrittenBody } from '../../domain/dialect.ts'
import type { Warning } from '../../domain/warning.ts'
import type { WrittenMarks } from '../shared/anthropic/write-marks.ts'
import { writeMarks } from '../shared/anthropic/write-marks.ts'
import { writeSettings } from '../shared/anthropic/write-settings.ts'
import { writeTools } from '../shared/anthropic/write-tools.ts'
import { writeTurns } from '../shared/anthropic/write-turns.ts'
import type { WrittenBlock } from '../shared/anthropic/written-block.ts'
import { withMark } from '../shared/anthropic/written-block.ts'
import { jsonArray, jsonObject, jsonText } from '../shared/write-json.ts'

/**
 * The Messages body that says the same. Settings first, then tools, system and messages in the order rendered: some
 * upstreams of this dialect cache by the order sent (D-3).
 */
export function write(conversation: Conversation, target: WriteTarget): WrittenBody {
  const warnings: Warning[] = []
  const tools = writeTools(conversation.tools, warnings)
  const { system, messages } = writeTurns(conversation.turns, warnings)
  const blocks = messages.flatMap((message) => message.blocks)
  const marks = writeMarks({ tools, system, messages: blocks }, conversation.cache, target.marks)
  const text = jsonObject([
    ['model', jsonText(target.model)],
    ['stream', conversation.stream ? 'true' : undefined],
    ...writeSettings(conversation, listOf(tools, marks) !== undefined, warnings),
    ['cache_control', marks.automatic],
    ['tools', listOf(tools, marks)],
    ['system', listOf(system, marks)],
    ['messages', jsonArray(messages.map(({ role, blocks }) => messageJson(role, blocks, marks)))],
  ])
  return { body: new TextEncoder().encode(text), warnings: [...warnings, ...marks.warnings] }
}

function messageJson(role: string, blocks: readonly WrittenBlock[], marks: WrittenMarks): string {
  return jsonObject([
    ['role', jsonText(role)],
    ['content', listOf(blocks, marks)],
  ])
}

/** `undefined` = nothing to write. */
function listOf(blocks: readonly WrittenBlock[], { byBlock }: WrittenMarks): string | undefined {
  const written = blocks.flatMap((block) =>
    block.json === undefined ? [] : [withMark(block.json, byBlock.get(block))],
  )
  return written.length === 0 ? undefined : jsonArray(written)
}
