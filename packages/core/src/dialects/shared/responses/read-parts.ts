import type { Block, CacheMark, MediaSource } from '../../../domain/conversation.ts'
import type { Warning } from '../../../domain/warning.ts'
import { memberRanges } from '../../../json/member-ranges.ts'
import { spliceParts } from '../../../json/splice.ts'
import type { Field } from '../field.ts'
import { unrendered } from './input-segments.ts'
import { mediaOfUrl } from './media.ts'

/** What reading an input gathers on its way. */
export interface ReadContext {
  /** What a breakpoint of this body means. */
  readonly mark: CacheMark
  readonly warnings: Warning[]
}

/**
 * The blocks of a message's content, or of a tool's output: a string is one block.
 * @throws IncipitError naming the pointer of what is wrong
 */
export function readParts(content: Field, context: ReadContext): Block[] {
  if (content.kind === 'string') return [{ kind: 'text', pointer: content.pointer, text: content.string() }]
  if (content.kind !== 'array') return content.fail('a string or an array of content parts')
  return content.elements().map((part) => readPart(part, context))
}

/** Says that members which are set have no place in a conversation. */
export function warnOfMembers(field: Field, names: readonly string[], context: ReadContext): void {
  for (const name of names) {
    const member = field.find(name)
    if (member === undefined || (member.kind === 'array' && member.elements().length === 0)) continue
    const detail = `${name} is understood by the Responses API only`
    context.warnings.push({ code: 'field_not_carried', where: member.pointer, detail })
  }
}

/** A value as the client wrote it, without marks and the gateway's own field. */
export function rawUnmarked(field: Field, parts: readonly Field[] = []): string {
  const fields = parts.includes(field) ? parts : [field, ...parts]
  const ranges = fields.flatMap(({ document, node }) => memberRanges(document, node, unrendered))
  if (ranges.length === 0) return field.raw
  const { start, end } = field.span
  const edits = ranges
    .map((range) => ({ name: 'unmark', start: range.start - start, end: range.end - start }))
    .sort((a, b) => a.start - b.start)
    .map((edit) => ({ ...edit, replacement: new Uint8Array(), why: 'marks are kept beside the block' }))
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const kept = spliceParts(field.document.bytes.subarray(start, end), edits)
  return kept.map((bytes) => decoder.decode(bytes, { stream: true })).join('')
}

function readPart(part: Field, context: ReadContext): Block {
  const type = part.object().get('type').string(['input_text', 'output_text'])
  const mark = part.find('prompt_cache_breakpoint') === undefined ? undefined : context.mark
  const base = { pointer: part.pointer, ...(mark === undefined ? {} : { mark }) }
  switch (type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      warnOfMembers(part, ['annotations'], context)
      return { ...base, kind: 'text', text: part.get('text').string() }
    case 'refusal':
      return { ...base, kind: 'refusal', text: part.get('refusal').string() }
    case 'input_image':
      return { ...base, kind: 'image', source: imageSource(part), detail: part.find('detail')?.string() }
    case 'input_file':
      warnOfMembers(part, ['detail'], context)
      return { ...base, kind: 'document', source: fileSource(part), title: part.find('filename')?.string() }
    case 'input_audio': {
      const audio = part.get('input_audio').object()
      return { ...base, kind: 'audio', data: audio.get('data').string(), format: audio.get('format').string() }
    }
    default:
      return { ...base, kind: 'opaque', type, json: rawUnmarked(part) }
  }
}

function imageSource(part: Field): MediaSource {
  const url = part.find('image_url')
  if (url !== undefined) return mediaOfUrl(url.string())
  return { kind: 'file', id: (part.find('file_id') ?? part.get('image_url')).string() }
}

function fileSource(part: Field): MediaSource {
  const data = part.find('file_data')?.string()
  if (data !== undefined) {
    const source = mediaOfUrl(data)
    // Bare base64 names no type: the API takes it for what the file name says, a PDF as a rule.
    return source.kind === 'base64' ? source : { kind: 'base64', mediaType: 'application/pdf', data }
  }
  const url = part.find('file_url')
  if (url !== undefined) return { kind: 'url', url: url.string() }
  return { kind: 'file', id: (part.find('file_id') ?? part.get('file_data')).string() }
}
