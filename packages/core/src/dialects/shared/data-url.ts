import type { MediaSource } from '../../domain/conversation.ts'

const scheme = 'data:'
const separator = ';base64,'

/**
 * Where the bytes of an attachment are: inside a data URL, or at the URL. A data URL with parameters stays a
 * URL, so that what is read can be written again as it was.
 *
 * @example urlSource('data:image/png;base64,AAAA') // { kind: 'base64', mediaType: 'image/png', data: 'AAAA' }
 */
export function urlSource(url: string): MediaSource {
  if (!url.startsWith(scheme)) return { kind: 'url', url }
  const end = url.indexOf(separator)
  const mediaType = url.slice(scheme.length, Math.max(end, scheme.length))
  if (mediaType === '' || /[;,]/.test(mediaType)) return { kind: 'url', url }
  return { kind: 'base64', mediaType, data: url.slice(end + separator.length) }
}

/** @example dataUrl({ mediaType: 'image/png', data: 'AAAA' }) */
export function dataUrl(source: { readonly mediaType: string; readonly data: string }): string {
  return `${scheme}${source.mediaType}${separator}${source.data}`
}
