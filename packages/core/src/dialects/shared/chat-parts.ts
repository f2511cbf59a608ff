import type { Block, CacheMark, MediaSource } from '../../domain/conversation.ts'
import type { Warning } from '../../domain/warning.ts'
import { markMembers, markOf } from './cache-marks.ts'
import { urlSource } from './data-url.ts'
import type { Field } from './field.ts'
import { leftOver } from './left-over.ts'
import { appendAll } from '../../domain/append.ts'

/** What reading a body needs beside the field at hand. */
export interface Reading {
  /** The life that the request gives to bare marks. */
  readonly markTtl: CacheMark['ttl']
  /** Collects what is left out. */
  readonly warnings: Warning[]
  /** Top-level members that are read; what is in no form we know is taken out and stays as it is. */
  readonly known: Set<string>
}

const common = ['type', 'incipit', ...markMembers] as const
/** Members of each kind of part that are read. */
const members: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  ['text', 'refusal', 'image_url', 'input_audio', 'file'].map((type) => [type, new Set([...common, type])]),
)

/**
 * Content of a message as blocks: a string is one, an array one per part.
 * @throws IncipitError naming the pointer of what is wrong
 */
export function contentBlocks(content: Field, reading: Reading): Block[] {
  if (content.kind === 'string') return [{ kind: 'text', pointer: content.pointer, text: content.string() }]
  if (content.kind !== 'array') return content.fail('a string or an array of content parts')
  return content.elements().map((part) => partBlock(part, reading))
}

function partBlock(part: Field, reading: Reading): Block {
  const type = part.object().get('type').string()
  const { pointer } = part
  const mark = markOf(part, reading.markTtl)
  const base = mark === undefined ? { pointer } : { pointer, mark }
  const known = members.get(type)
  if (known === undefined) return { ...base, kind: 'opaque', type, json: part.raw }
  appendAll(reading.warnings, leftOver(part, known))
  if (type === 'text') return { ...base, kind: 'text', text: part.get('text').string() }
  if (type === 'refusal') return { ...base, kind: 'refusal', text: part.get('refusal').string() }
  return { ...base, ...mediaOf(part.get(type), type) }
}

type Media<Kind extends Block['kind']> = Omit<Extract<Block, { readonly kind: Kind }>, 'pointer' | 'mark'>

function mediaOf(content: Field, type: string): Media<'image'> | Media<'audio'> | Media<'document'> {
  if (type === 'image_url') {
    // Some clients send the URL alone.
    const url = content.kind === 'string' ? content : content.object().get('url')
    const detail = content.kind === 'string' ? undefined : content.find('detail')?.string()
    return { kind: 'image', source: urlSource(url.string()), detail }
  }
  if (type === 'input_audio') {
    return {
      kind: 'audio',
      data: content.object().get('data').string(),
      format: content.get('format').string(),
    }
  }
  return { kind: 'document', source: fileSource(content.object()), title: content.find('filename')?.string() }
}

/** Bare base64 is taken for a PDF: the API takes no other files. */
function fileSource(file: Field): MediaSource {
  const id = file.find('file_id')
  if (id !== undefined) return { kind: 'file', id: id.string() }
  const data = file.get('file_data').string()
  return data.startsWith('data:') ? urlSource(data) : { kind: 'base64', mediaType: 'application/pdf', data }
}
