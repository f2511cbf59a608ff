import type { Block, MediaSource } from '../../domain/conversation.ts'
import { dataUrl } from './data-url.ts'
import type { JsonMemberText } from './write-json.ts'
import { jsonObject, jsonText } from './write-json.ts'

/** A block that chat has a content part for. */
export type PartBlock = Extract<Block, { readonly kind: 'text' | 'refusal' | 'image' | 'document' | 'audio' }>

/** Whether a block can be a content part: images must be bytes or a URL, files bytes, an id or text. */
export function isPart(block: Block): block is PartBlock {
  switch (block.kind) {
    case 'text':
    case 'refusal':
    case 'audio':
      return true
    case 'image':
      return block.source.kind === 'base64' || block.source.kind === 'url'
    case 'document':
      return block.source.kind !== 'url'
    default:
      return false
  }
}

/**
 * A content part; `mark` is the member that marks it.
 * @example partJson({ kind: 'text', pointer: '/x', text: 'Hi' }, undefined) // '{"type":"text","text":"Hi"}'
 */
export function partJson(block: PartBlock, mark: JsonMemberText | undefined): string {
  return jsonObject([...partMembers(block), ...(mark === undefined ? [] : [mark])])
}

function partMembers(block: PartBlock): JsonMemberText[] {
  switch (block.kind) {
    case 'text':
      return typed('text', jsonText(block.text))
    case 'refusal':
      return typed('refusal', jsonText(block.text))
    case 'audio':
      return typed(
        'input_audio',
        jsonObject([
          ['data', jsonText(block.data)],
          ['format', jsonText(block.format)],
        ]),
      )
    case 'image':
      return typed(
        'image_url',
        jsonObject([
          ['url', jsonText(urlOf(block.source))],
          ['detail', jsonText(block.detail)],
        ]),
      )
    case 'document':
      if (block.source.kind === 'text') return typed('text', jsonText(block.source.text))
      return typed('file', jsonObject(fileMembers(block.source, block.title)))
    default:
      return block satisfies never
  }
}

function typed(type: string, content: string): JsonMemberText[] {
  return [
    ['type', jsonText(type)],
    [type, content],
  ]
}

function urlOf(source: MediaSource): string {
  if (source.kind === 'base64') return dataUrl(source)
  return source.kind === 'url' ? source.url : ''
}

function fileMembers(source: MediaSource, title: string | undefined): JsonMemberText[] {
  if (source.kind === 'file') return [['file_id', jsonText(source.id)]]
  return [
    // The API takes no file without a name.
    ['filename', jsonText(title ?? 'document')],
    ['file_data', jsonText(urlOf(source))],
  ]
}
