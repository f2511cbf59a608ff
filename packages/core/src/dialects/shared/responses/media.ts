import type { MediaSource } from '../../../domain/conversation.ts'

const dataUrl = /^data:([^;,]+);base64,/

/**
 * The source that a URL of this API means: bytes where it is a data URL.
 * @example mediaOfUrl('data:image/png;base64,AAAA') // { kind: 'base64', mediaType: 'image/png', data: 'AAAA' }
 */
export function mediaOfUrl(url: string): MediaSource {
  const match = dataUrl.exec(url)
  if (match === null) return { kind: 'url', url }
  return { kind: 'base64', mediaType: match[1] ?? '', data: url.slice(match[0].length) }
}

/** @example dataUrlOf({ mediaType: 'image/png', data: 'AAAA' }) // 'data:image/png;base64,AAAA' */
export function dataUrlOf({ mediaType, data }: { readonly mediaType: string; readonly data: string }): string {
  return `data:${mediaType};base64,${data}`
}
