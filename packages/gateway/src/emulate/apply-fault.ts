import type { FaultSpec } from './fault.ts'
import type { JsonObject } from './json.ts'
import { isObject } from './json.ts'
import type { Provider } from './provider.ts'
import type { Frame, Reply } from './reply.ts'

/** Who words the errors, and on which path. */
export interface FaultTarget {
  readonly provider: Provider
  readonly path: string
}

/** What a fault makes of an answer before it is sent; how it is sent is another matter (`sendReply`). */
export function applyFault(reply: Reply, fault: FaultSpec, target: FaultTarget): Reply {
  const { content } = reply
  const headers = { ...reply.headers, ...fault.headers }
  if (content.kind === 'body')
    return { ...reply, headers, content: { kind: 'body', text: faultyBody(content.text, fault) } }
  return { ...reply, headers, content: { kind: 'stream', frames: faultyFrames(content.frames, fault, target) } }
}

/** The answer of a fault that replaces the provider's. */
export function statusReply(fault: FaultSpec, status: number, { provider, path }: FaultTarget): Reply {
  const worded = provider.errorReply(status, path)
  const headers = { ...worded.headers, ...fault.headers }
  if (fault.body === undefined) return { ...worded, headers }
  const text = typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body)
  return { status, headers, content: { kind: 'body', text } }
}

function faultyBody(text: string, fault: FaultSpec): string {
  const counted = fault.missing_usage === true ? withoutUsageText(text) : text
  return fault.malformed_json === true ? half(counted) : counted
}

function faultyFrames(frames: readonly Frame[], fault: FaultSpec, { provider, path }: FaultTarget): readonly Frame[] {
  let changed = frames
  if (fault.missing_usage === true) changed = changed.filter(({ part }) => part !== 'usage').map(withoutUsageFrame)
  if (fault.malformed_json === true) changed = withOneBroken(changed)
  if (fault.no_terminal === true) changed = changed.filter(({ part }) => part !== 'end')
  if (fault.error_event !== undefined) changed = [...changed.slice(0, fault.error_event), provider.errorFrame(path)]
  if (fault.trailing_frame === undefined || fault.trailing_frame === false) return changed
  const data =
    fault.trailing_frame === true ? '{"type":"vendor_metrics","vendor":{"queue_ms":1}}' : fault.trailing_frame
  return [...changed, { data, part: 'end' }]
}

function withOneBroken(frames: readonly Frame[]): readonly Frame[] {
  const at = frames.findIndex(({ part }) => part === 'content')
  return frames.map((frame, index) => (index === Math.max(0, at) ? { ...frame, data: half(frame.data) } : frame))
}

function half(text: string): string {
  return text.slice(0, Math.ceil(text.length / 2))
}

function withoutUsageFrame(frame: Frame): Frame {
  return { ...frame, data: withoutUsageText(frame.data) }
}

function withoutUsageText(text: string): string {
  if (!text.startsWith('{')) return text
  return JSON.stringify(withoutUsage(JSON.parse(text)))
}

/** Usage stands at the top, or one level down in `message`, `response` and `result`. */
function withoutUsage(value: unknown): unknown {
  if (!isObject(value)) return value
  const { usage: _usage, ...rest } = value
  const nested = ['message', 'response', 'result'].filter((name) => isObject(rest[name]))
  return {
    ...rest,
    ...Object.fromEntries(nested.map((name): [string, unknown] => [name, withoutUsage(rest[name] as JsonObject)])),
  }
}
