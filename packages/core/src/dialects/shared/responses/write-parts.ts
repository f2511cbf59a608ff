import type { Block, MediaSource } from '../../../domain/conversation.ts'
import { jsonObject, jsonText } from '../write-json.ts'
import { dataUrlOf } from './media.ts'
import type { WriteContext } from './write-context.ts'
import { warn } from './write-context.ts'

const markMember = ['prompt_cache_breakpoint', '{"mode":"explicit"}'] as const

/**
 * The content of a message or of a tool's output: a string where it is one text without a mark, else parts.
 * `undefined` where nothing of it can be said.
 */
export function writeContent(blocks: readonly Block[], context: WriteContext): string | undefined {
  const [only] = blocks
  if (only?.kind === 'text' && blocks.length === 1 && !context.marked.has(only)) return jsonText(only.text)
  const parts = blocks.flatMap((block) => writeInputPart(block, context) ?? [])
  return parts.length === 0 ? undefined : `[${parts.join(',')}]`
}

/** The words of the model in a message of its own: `undefined` for what it cannot have said in this API. */
export function writeOutputPart(block: Block, context: WriteContext): string | undefined {
  if (block.kind === 'text') return jsonObject([typeMember('output_text'), ['text', jsonText(block.text)]])
  if (block.kind === 'refusal') return jsonObject([typeMember('refusal'), ['refusal', jsonText(block.text)]])
  if (block.kind === 'opaque' && context.own) return block.json
  return notCarried(block, 'this dialect has no such part in a message of the assistant', context)
}

function writeInputPart(block: Block, context: WriteContext): string | undefined {
  const mark = context.marked.has(block) ? markMember : (['prompt_cache_breakpoint', undefined] as const)
  switch (block.kind) {
    case 'text':
      return jsonObject([typeMember('input_text'), ['text', jsonText(block.text)], mark])
    case 'image': {
      const source = imageMember(block.source)
      if (source === undefined) return notCarried(block, 'an image made of text', context)
      return jsonObject([typeMember('input_image'), source, ['detail', jsonText(block.detail)], mark])
    }
    case 'document':
      return jsonObject([...documentMembers(block, context), mark])
    case 'audio': {
      const audio = jsonObject([
        ['data', jsonText(block.data)],
        ['format', jsonText(block.format)],
      ])
      return jsonObject([typeMember('input_audio'), ['input_audio', audio]])
    }
    case 'opaque':
      if (context.own) return block.json
      return notCarried(block, `a block of type ${block.type} is known to its own dialect only`, context)
    case 'refusal':
    case 'thinking':
    case 'redacted-thinking':
    case 'tool-call':
    case 'tool-result':
      return notCarried(block, `a ${block.kind} block has no place there`, context)
    default:
      return block satisfies never
  }
}

function notCarried(block: Block, detail: string, context: WriteContext): undefined {
  warn(context, 'block_not_carried', block.pointer, detail)
  return undefined
}

type Member = readonly [name: string, json: string | undefined]

function typeMember(type: string): Member {
  return ['type', jsonText(type)]
}

function imageMember(source: MediaSource): Member | undefined {
  switch (source.kind) {
    case 'base64':
      return ['image_url', jsonText(dataUrlOf(source))]
    case 'url':
      return ['image_url', jsonText(source.url)]
    case 'file':
      return ['file_id', jsonText(source.id)]
    case 'text':
      return undefined
    default:
      return source satisfies never
  }
}

function documentMembers(block: Extract<Block, { kind: 'document' }>, context: WriteContext): Member[] {
  const { source, title, pointer } = block
  const type = typeMember('input_file')
  switch (source.kind) {
    case 'base64': {
      if (title === undefined) warn(context, 'value_defaulted', `${pointer}/filename`, 'file data needs a file name')
      const filename = title ?? (source.mediaType === 'application/pdf' ? 'document.pdf' : 'document')
      return [type, ['filename', jsonText(filename)], ['file_data', jsonText(dataUrlOf(source))]]
    }
    case 'url':
      return [type, ['filename', jsonText(title)], ['file_url', jsonText(source.url)]]
    case 'file':
      return [type, ['filename', jsonText(title)], ['file_id', jsonText(source.id)]]
    case 'text':
      warn(context, 'value_changed', pointer, 'a document made of text stands as text')
      return [typeMember('input_text'), ['text', jsonText(source.text)]]
    default:
      return source satisfies never
  }
}
