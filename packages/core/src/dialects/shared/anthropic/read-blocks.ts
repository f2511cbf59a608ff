import type { Block, MediaSource } from '../../../domain/conversation.ts'
import type { Warning } from '../../../domain/warning.ts'
import type { Field } from '../field.ts'
import { unrendered } from './block-details.ts'
import { markInside } from './unmarked-text.ts'
import { rawWithoutMarks, readMark, warnOfOthers } from './read-parts.ts'

/** The blocks of a `content`; a string is one text block. */
export function readContent(content: Field, warnings: Warning[]): Block[] {
  if (content.kind === 'string') return [{ kind: 'text', pointer: content.pointer, text: content.string() }]
  if (content.kind !== 'array') return content.fail('a string or an array of content blocks')
  return content.elements().map((block) => readBlock(block, warnings))
}

function readBlock(block: Field, warnings: Warning[]): Block {
  const type = block.object().get('type').string(['text', 'tool_use', 'tool_result', 'thinking', 'image'])
  const base = { pointer: block.pointer, mark: readMark(block) }
  switch (type) {
    case 'text':
      warnOfOthers(block, ['type', 'text', ...unrendered], warnings)
      return { ...base, kind: 'text', text: block.get('text').string() }
    case 'image':
    case 'document':
      return { ...base, ...readMedia(block, type, warnings) }
    case 'thinking':
      return {
        ...base,
        kind: 'thinking',
        text: block.get('thinking').string(),
        signature: block.find('signature')?.string(),
        json: rawWithoutMarks(block),
      }
    case 'redacted_thinking':
      return { ...base, kind: 'redacted-thinking', data: block.get('data').string(), json: rawWithoutMarks(block) }
    case 'tool_use':
      warnOfOthers(block, ['type', 'id', 'name', 'input', ...unrendered], warnings)
      return {
        ...base,
        kind: 'tool-call',
        id: block.get('id').string(),
        name: block.get('name').string(),
        arguments: block.get('input').object().raw,
      }
    case 'tool_result':
      return { ...base, ...readResult(block, warnings) }
    default:
      return { ...base, ...opaque(block, type) }
  }
}

/** Blocks inside are not looked at; a mark there is the block's. */
function opaque(block: Field, type: string): Block {
  const mark = readMark(block) ?? markInside(block.document, block.node)
  return { kind: 'opaque', pointer: block.pointer, type, json: rawWithoutMarks(block), mark }
}

function readResult(block: Field, warnings: Warning[]): Block {
  warnOfOthers(block, ['type', 'tool_use_id', 'content', 'is_error', ...unrendered], warnings)
  const content = block.find('content')
  return {
    kind: 'tool-result',
    pointer: block.pointer,
    callId: block.get('tool_use_id').string(),
    blocks: content === undefined ? [] : readContent(content, warnings),
    isError: block.find('is_error')?.boolean() ?? false,
  }
}

function readMedia(block: Field, type: 'image' | 'document', warnings: Warning[]): Block {
  const { pointer } = block
  const source = readSource(block.get('source').object())
  // Blocks as the source of a document have no counterpart anywhere else.
  if (source === undefined) return opaque(block, type)
  warnOfOthers(block, ['type', 'source', ...(type === 'document' ? ['title'] : []), ...unrendered], warnings)
  if (type === 'image') return { kind: 'image', pointer, source, detail: undefined }
  return { kind: 'document', pointer, source, title: block.find('title')?.string() }
}

function readSource(source: Field): MediaSource | undefined {
  const type = source.get('type').oneOf(['base64', 'url', 'file', 'text', 'content'])
  switch (type) {
    case 'base64':
      return { kind: 'base64', mediaType: source.get('media_type').string(), data: source.get('data').string() }
    case 'url':
      return { kind: 'url', url: source.get('url').string() }
    case 'file':
      return { kind: 'file', id: source.get('file_id').string() }
    case 'text':
      return { kind: 'text', text: source.get('data').string() }
    default:
      return undefined
  }
}
