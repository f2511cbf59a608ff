import type { Warning } from '@incipit/core'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { yieldToUpstream } from '../limits/limit-headers.ts'
import type { Passage } from '../passage.ts'

/** Headers of an upstream's answer that belong to its connection or to us. */
const notPassedOn = new Set([
  'alt-svc',
  'connection',
  'content-encoding',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'set-cookie',
  'strict-transport-security',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const isAscii = /^[ -~]*$/
/** Longest list of edits or warnings in a header; the ledger has more of them. */
const longestList = 2_000

/**
 * Puts into the answer's head what we have to say of a request: which prefix was meant, where it went, what was
 * changed on the way.
 */
export function setOwnHeaders(response: ServerResponse, passage: Passage): void {
  const { who, target } = passage
  if (who?.wireHash !== undefined) response.setHeader('x-incipit-prefix', who.wireHash)
  if (target !== undefined) {
    const route =
      target.kind === 'engine' ? `engine/${target.replica}` : `${target.upstream.name}/${target.replica.name}`
    // A model may have any name, a header only ASCII.
    response.setHeader('x-incipit-route', isAscii.test(route) ? route : route.replace(/[^ -~]+/g, encodeURIComponent))
  }
  const { edits, warnings } = passage
  if (edits.length > 0) response.setHeader('x-incipit-edits', bounded(edits.join(', ')))
  if (warnings.length > 0) response.setHeader('x-incipit-warnings', warningsText(warnings))
}

/** Puts the upstream's own headers into the answer's head; those of the connection stay behind. */
export function passHeadersOn(response: ServerResponse, headers: IncomingHttpHeaders): void {
  yieldToUpstream(response, headers)
  for (const name in headers) {
    const value = headers[name]
    // What we say of a request, no upstream says.
    if (name.startsWith('x-incipit-')) continue
    if (value !== undefined && !notPassedOn.has(name)) response.setHeader(name, value)
  }
}

/** @example warningsText([{ code: 'failover', where: 'a', detail: 'b' }]) // 'failover: a (b)' */
export function warningsText(warnings: readonly Warning[]): string {
  const text = warnings
    .slice(0, longestList)
    .map(({ code, where, detail }) => `${code}: ${where} (${detail})`)
    .join('; ')
  return bounded(text.replace(/[^ -~]+/g, '?'))
}

/** Clients refuse an answer with headers of more than some 16 KB. */
function bounded(text: string): string {
  return text.length > longestList ? `${text.slice(0, longestList)} ...` : text
}
