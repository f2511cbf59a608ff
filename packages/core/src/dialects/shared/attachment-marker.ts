import type { Block, MediaSource } from '../../domain/conversation.ts'
import type { Hasher } from '../../domain/hasher.ts'
import { frame, toHex } from '../../domain/hasher.ts'
import { dataUrl } from './data-url.ts'

/** A block of a message that is no text. */
export type AttachmentBlock = Extract<Block, { readonly kind: 'image' | 'document' | 'audio' }>

type NamedValue = readonly [name: string, value: string | undefined]

/**
 * The text that stands in a prompt for content that is not text: equal bytes give equal text, and one
 * differing byte gives another, so that attachments take part in the exact match (P-10), whichever dialect
 * they came in. Plain brackets, because no tokenizer reads those as a special token.
 *
 * @example attachmentMarker(block, hasher) // '[attachment:image:9f86d08...]'
 */
export function attachmentMarker(block: AttachmentBlock, hasher: Hasher): string {
  const kind = block.kind === 'document' ? 'file' : block.kind
  const fields = contentFields(block).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
  const digest = hasher.sha256(frame(['incipit/attachment/1', kind, ...fields]))
  return `[attachment:${kind}:${toHex(digest.subarray(0, 16))}]`
}

/** Ascending by name: the order in which a client wrote the members changes nothing. */
function contentFields(block: AttachmentBlock): readonly NamedValue[] {
  switch (block.kind) {
    case 'audio':
      return [
        ['data', block.data],
        ['format', block.format],
      ]
    case 'image':
      return [['detail', block.detail], sourceField(block.source, 'url', 'url')]
    case 'document':
      // `file_data` and `file_id` come before `filename`, `text` behind it.
      return block.source.kind === 'text'
        ? [['filename', block.title], sourceField(block.source, 'file_data', 'file_url')]
        : [sourceField(block.source, 'file_data', 'file_url'), ['filename', block.title]]
    default:
      return block satisfies never
  }
}

function sourceField(source: MediaSource, dataName: string, urlName: string): NamedValue {
  switch (source.kind) {
    case 'base64':
      return [dataName, dataUrl(source)]
    case 'url':
      return [urlName, source.url]
    case 'file':
      return ['file_id', source.id]
    case 'text':
      return ['text', source.text]
    default:
      return source satisfies never
  }
}
