import type { Json } from './sent-body.ts'
import type { Source } from './targets.ts'

/** A file or picture in a message: how each dialect that has it says it, and what has to stand in each dialect sent. */
export interface AttachmentCase {
  readonly name: string
  readonly says: Readonly<Partial<Record<Source, Json>>>
  /** Left out = the dialect has no place for it: the block is lost, with a warning. */
  readonly sent: Readonly<Partial<Record<Source, Json>>>
  /** Inside the tool result, where the dialect of the client has such. */
  readonly inResult?: boolean
}

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const pdf = 'JVBERi0xLjQKJcOkw7zDtsOf'
const wav = 'UklGRiQAAABXQVZFZm10IA=='
const pngUrl = `data:image/png;base64,${png}`
const pdfUrl = `data:application/pdf;base64,${pdf}`
const imageAt = 'https://example.com/a.png?x=1&y=%20'
const pdfAt = 'https://example.com/b.pdf'

const chatImage = { type: 'image_url', image_url: { url: pngUrl, detail: 'high' } }
const chatImageAt = { type: 'image_url', image_url: { url: imageAt } }
const inputImage = { type: 'input_image', image_url: pngUrl, detail: 'high' }
const inputImageAt = { type: 'input_image', image_url: imageAt }
const imageBlock = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } }
const imageBlockAt = { type: 'image', source: { type: 'url', url: imageAt } }
const chatFile = { type: 'file', file: { filename: 'b.pdf', file_data: pdfUrl } }
const inputFile = { type: 'input_file', filename: 'b.pdf', file_data: pdfUrl }
const pdfBlock = {
  type: 'document',
  title: 'b.pdf',
  source: { type: 'base64', media_type: 'application/pdf', data: pdf },
}
const audio = { type: 'input_audio', input_audio: { data: wav, format: 'wav' } }

/** Without the detail, which Anthropic's API has no word for. */
const anyDetail = {
  chat: { type: 'image_url', image_url: { url: pngUrl } },
  input: { type: 'input_image', image_url: pngUrl },
}

export const attachments: readonly AttachmentCase[] = [
  {
    name: 'an image as bytes',
    says: {
      'openai-chat': chatImage,
      'openai-responses': inputImage,
      'anthropic-messages': imageBlock,
      'workers-ai': chatImage,
    },
    sent: {
      'openai-chat': anyDetail.chat,
      'openai-responses': anyDetail.input,
      'anthropic-messages': imageBlock,
      'workers-ai': chatImage,
    },
  },
  {
    name: 'an image by its address',
    says: {
      'openai-chat': chatImageAt,
      'openai-responses': inputImageAt,
      'anthropic-messages': imageBlockAt,
      'workers-ai': chatImageAt,
    },
    sent: {
      'openai-chat': chatImageAt,
      'openai-responses': inputImageAt,
      'anthropic-messages': imageBlockAt,
      'workers-ai': chatImageAt,
    },
  },
  {
    name: 'a PDF as bytes',
    says: {
      'openai-chat': chatFile,
      'openai-responses': inputFile,
      'anthropic-messages': pdfBlock,
      'workers-ai': chatFile,
    },
    sent: {
      'openai-chat': chatFile,
      'openai-responses': inputFile,
      'anthropic-messages': pdfBlock,
      'workers-ai': chatFile,
    },
  },
  {
    name: 'a PDF by its address',
    says: {
      'openai-responses': { type: 'input_file', file_url: pdfAt },
      'anthropic-messages': { type: 'document', source: { type: 'url', url: pdfAt } },
    },
    sent: {
      'openai-responses': { type: 'input_file', file_url: pdfAt },
      'anthropic-messages': { type: 'document', source: { type: 'url', url: pdfAt } },
    },
  },
  {
    name: 'a file of the provider by its id',
    says: {
      'openai-chat': { type: 'file', file: { file_id: 'file-7' } },
      'openai-responses': { type: 'input_file', file_id: 'file-7' },
      'workers-ai': { type: 'file', file: { file_id: 'file-7' } },
    },
    sent: {
      'openai-chat': { type: 'file', file: { file_id: 'file-7' } },
      'openai-responses': { type: 'input_file', file_id: 'file-7' },
      'workers-ai': { type: 'file', file: { file_id: 'file-7' } },
    },
  },
  {
    name: 'a document of text',
    says: {
      'anthropic-messages': {
        type: 'document',
        source: { type: 'text', media_type: 'text/plain', data: 'plain words' },
      },
    },
    sent: {
      'openai-chat': { type: 'text', text: 'plain words' },
      'openai-responses': { type: 'input_text', text: 'plain words' },
      'anthropic-messages': {
        type: 'document',
        source: { type: 'text', media_type: 'text/plain', data: 'plain words' },
      },
    },
  },
  {
    name: 'audio',
    says: { 'openai-chat': audio, 'openai-responses': audio, 'workers-ai': audio },
    sent: { 'openai-chat': audio, 'openai-responses': audio, 'workers-ai': audio },
  },
  {
    name: 'an image that a tool returned',
    inResult: true,
    says: { 'openai-responses': inputImage, 'anthropic-messages': imageBlock },
    sent: {
      'openai-chat': { role: 'user', content: [anyDetail.chat] },
      'openai-responses': anyDetail.input,
      'anthropic-messages': { type: 'tool_result', content: [{ type: 'text', text: 'result-one' }, imageBlock] },
    },
  },
  {
    name: 'a PDF that a tool returned',
    inResult: true,
    says: { 'openai-responses': inputFile, 'anthropic-messages': pdfBlock },
    sent: {
      'openai-chat': { role: 'user', content: [chatFile] },
      'openai-responses': inputFile,
      'anthropic-messages': { type: 'tool_result', content: [{ type: 'text', text: 'result-one' }, pdfBlock] },
    },
  },
]
