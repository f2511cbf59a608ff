import { createHash, createHmac } from 'node:crypto'
import type { Hasher } from '../../domain/hasher.ts'
import { IsolationScope } from '../../domain/isolation-scope.ts'
import type { Segment, SegmentKind } from '../../domain/prompt.ts'
import { orgId } from '../../domain/units.ts'
import type { FingerprintInput } from '../fingerprint.ts'

const hasher: Hasher = {
  hmacSha256: (key, message) => createHmac('sha256', key).update(message).digest(),
  sha256: (message) => createHash('sha256').update(message).digest(),
}

/** A scope under an all-zero secret: the same in every run. */
export function aScope(org: string): IsolationScope {
  return IsolationScope.of({ org: orgId(org) }, { hasher, secret: new Uint8Array(32) })
}

/** One segment to build: its content, and what it is. */
export interface Part {
  readonly content: string | Uint8Array
  readonly kind?: SegmentKind
}

/** A prompt of these segments, `gap` bytes of whitespace around each of them. */
export function aPrompt(parts: readonly (Part | string)[], gap = 1): FingerprintInput & { segments: Segment[] } {
  const encoder = new TextEncoder()
  const segments: Segment[] = []
  const bytes: number[] = []
  const pad = (): void => {
    for (let index = 0; index < gap; index++) bytes.push(0x20)
  }
  pad()
  parts.forEach((part, index) => {
    const { content, kind = 'conversation_history' } = typeof part === 'string' ? { content: part } : part
    const start = bytes.length
    for (const byte of typeof content === 'string' ? encoder.encode(content) : content) bytes.push(byte)
    segments.push({
      kind,
      role: 'user',
      pointer: `/messages/${index}`,
      span: { start, end: bytes.length },
      attachments: [],
    })
    pad()
  })
  return { body: Uint8Array.from(bytes), segments, breakpoints: [] }
}
