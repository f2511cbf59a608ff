/** One server-sent event, and what it is for: faults choose by that. */
export interface Frame {
  readonly event?: string
  readonly data: string
  /** `usage`: carries nothing but usage. `end`: without it the stream is not complete. */
  readonly part: 'start' | 'content' | 'usage' | 'end'
}

/** What an emulated provider answers. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly content:
    | { readonly kind: 'body'; readonly text: string }
    | { readonly kind: 'stream'; readonly frames: readonly Frame[] }
  /** Runs when the head leaves: what a request wrote to a cache becomes readable only then. */
  readonly onBegun?: () => void
}

/** @example jsonReply(200, { object: 'list', data: [] }) */
export function jsonReply(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    content: { kind: 'body', text: JSON.stringify(value) },
  }
}

/** @example streamReply([{ data: '[DONE]', part: 'end' }]) */
export function streamReply(frames: readonly Frame[], headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', ...headers },
    content: { kind: 'stream', frames },
  }
}
