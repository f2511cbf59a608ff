import type { Block, MediaSource } from '../../../domain/conversation.ts'
import { jsonObject, jsonText } from '../write-json.ts'

/** Ids of this API's files begin so; those of others mean nothing here. */
const fileIdStart = 'file_'

/** The `source` of an image or document; `undefined` where this API has none such. */
export function writeSource(
  kind: Extract<Block['kind'], 'image' | 'document'>,
  source: MediaSource,
): string | undefined {
  switch (source.kind) {
    case 'base64':
      if (kind === 'document' && source.mediaType !== 'application/pdf') return undefined
      return jsonObject([
        ['type', '"base64"'],
        ['media_type', jsonText(source.mediaType)],
        ['data', jsonText(source.data)],
      ])
    case 'url':
      return jsonObject([
        ['type', '"url"'],
        ['url', jsonText(source.url)],
      ])
    case 'file':
      if (!source.id.startsWith(fileIdStart)) return undefined
      return jsonObject([
        ['type', '"file"'],
        ['file_id', jsonText(source.id)],
      ])
    default:
      if (kind === 'image') return undefined
      return jsonObject([
        ['type', '"text"'],
        ['media_type', '"text/plain"'],
        ['data', jsonText(source.text)],
      ])
  }
}
