import type { Block, CacheMark } from '../../../domain/conversation.ts'
import type { Warning } from '../../../domain/warning.ts'
import type { TakesMark } from '../../../plan/markable.ts'
import { markableTypes } from '../../../plan/markable.ts'
import { jsonArray, jsonObject, jsonText } from '../write-json.ts'
import { scanObject, toolInput } from './tool-input.ts'
import { writeSource } from './write-source.ts'
import type { WrittenBlock } from './written-block.ts'
import { leftOut, rawBlock } from './written-block.ts'

type BlockOf<K extends Block['kind']> = Extract<Block, { kind: K }>

/** A block of a message as this API has it. What it has not is left out with a warning. */
export function writeBlock(block: Block, warnings: Warning[]): WrittenBlock {
  switch (block.kind) {
    case 'text':
      return writeText(block)
    case 'refusal':
      warnings.push({ code: 'value_changed', where: block.pointer, detail: 'a refusal stands as text' })
      return writeText(block)
    case 'image':
    case 'document':
      return writeMedia(block, warnings)
    case 'audio':
      return notCarried(block, 'audio', warnings)
    case 'thinking':
    case 'redacted-thinking':
      return writeThinking(block, warnings)
    case 'tool-call':
      return written(block, writeCall(block, warnings))
    case 'tool-result':
      return writeResult(block, warnings)
    default:
      return writeOpaque(block, warnings)
  }
}

function written(block: Block, json: string, takes: TakesMark = 'mark'): WrittenBlock {
  return { json, where: block.pointer, takes, mark: block.mark, isResult: block.kind === 'tool-result' }
}

function notCarried(block: Block, what: string, warnings: Warning[]): WrittenBlock {
  warnings.push({ code: 'block_not_carried', where: block.pointer, detail: `${what} has no counterpart here` })
  return leftOut(block.pointer, block.mark)
}

/** The API refuses empty text blocks; they say nothing, so nothing is lost with them. */
function writeText(block: BlockOf<'text' | 'refusal'>): WrittenBlock {
  if (block.text === '') return { ...leftOut(block.pointer, block.mark), takes: 'an empty text block' }
  const json = jsonObject([
    ['type', '"text"'],
    ['text', jsonText(block.text)],
  ])
  return written(block, json)
}

function writeMedia(block: BlockOf<'image' | 'document'>, warnings: Warning[]): WrittenBlock {
  const source = writeSource(block.kind, block.source)
  if (source === undefined) return notCarried(block, `${block.kind} from this kind of source or media type`, warnings)
  if (block.kind === 'image' && block.detail !== undefined && block.detail !== 'auto') {
    warnings.push({ code: 'field_not_carried', where: block.pointer, detail: 'the detail of an image' })
  }
  const json = jsonObject([
    ['type', jsonText(block.kind)],
    ['source', source],
    ['title', block.kind === 'document' ? jsonText(block.title) : undefined],
  ])
  return written(block, json)
}

/** Thinking is valid only where it came from: here, that is what bears this API's type and signature. */
function writeThinking(block: BlockOf<'thinking' | 'redacted-thinking'>, warnings: Warning[]): WrittenBlock {
  const [type, proof] = block.kind === 'thinking' ? ['thinking', 'signature'] : ['redacted_thinking', 'data']
  const document = scanObject(block.json)
  const typeNode = document?.find(0, 'type')
  const proofNode = document?.find(0, proof)
  const isOurs =
    document !== undefined &&
    typeNode !== undefined &&
    document.isText(typeNode, type) &&
    proofNode !== undefined &&
    document.kind(proofNode) === 'string'
  return isOurs
    ? written(block, rawBlock(block.json), 'a thinking block')
    : notCarried(block, 'reasoning of another provider, or without a signature,', warnings)
}

function writeCall(block: BlockOf<'tool-call'>, warnings: Warning[]): string {
  const input = toolInput(block.arguments)
  if (input.wrapped) {
    warnings.push({ code: 'value_changed', where: block.pointer, detail: 'arguments were no JSON object' })
  }
  return jsonObject([
    ['type', '"tool_use"'],
    ['id', jsonText(callId(block.id, block.pointer, warnings))],
    ['name', jsonText(block.name)],
    ['input', input.json],
  ])
}

function writeResult(block: BlockOf<'tool-result'>, warnings: Warning[]): WrittenBlock {
  const inner = block.blocks.map((child) => writeInner(child, warnings))
  const content = inner.flatMap(({ json }) => (json === undefined ? [] : [json]))
  const json = jsonObject([
    ['type', '"tool_result"'],
    ['tool_use_id', jsonText(callId(block.callId, block.pointer, warnings))],
    ['content', content.length === 0 ? undefined : jsonArray(content)],
    ['is_error', block.isError ? 'true' : undefined],
  ])
  return { ...written(block, json), mark: block.mark ?? lastMark(inner) }
}

const innerKinds: readonly Block['kind'][] = ['text', 'refusal', 'image', 'document', 'opaque']

function writeInner(block: Block, warnings: Warning[]): WrittenBlock {
  return innerKinds.includes(block.kind)
    ? writeBlock(block, warnings)
    : notCarried(block, `${block.kind} inside a tool result`, warnings)
}

/** What is inside a result takes no mark; the end of the result is the end of what is inside. */
function lastMark(inner: readonly WrittenBlock[]): CacheMark | undefined {
  return inner.findLast(({ mark }) => mark !== undefined)?.mark
}

function writeOpaque(block: BlockOf<'opaque'>, warnings: Warning[]): WrittenBlock {
  return markableTypes.includes(block.type)
    ? written(block, rawBlock(block.json))
    : notCarried(block, 'a block of its type', warnings)
}

/** Ids may hold letters, digits, `_` and `-`; a call and its result change alike. */
function callId(id: string, where: string, warnings: Warning[]): string {
  const taken = id.replaceAll(/[^\w-]/g, '_') || '_'
  if (taken !== id) warnings.push({ code: 'value_changed', where, detail: 'the id of a call has characters not taken' })
  return taken
}
