import type { CacheMark } from '../../../domain/conversation.ts'
import type { TakesMark } from '../../../plan/markable.ts'
import { scanObject } from './tool-input.ts'
import { unmarkedText } from './unmarked-text.ts'

/** A block or tool of a body to be written, its mark apart: where marks end up is settled over the whole body. */
export interface WrittenBlock {
  /** JSON object without a mark; `undefined` = not written, but a mark on it still has to find a place. */
  readonly json: string | undefined
  /** JSON pointer into the client's body. */
  readonly where: string
  readonly takes: TakesMark
  readonly mark: CacheMark | undefined
  /** Tool results come first in a message. */
  readonly isResult: boolean
}

/** @example withMark('{"type":"text","text":"x"}', '{"type":"ephemeral"}') */
export function withMark(json: string, mark: string | undefined): string {
  return mark === undefined ? json : `${json.slice(0, -1)},"cache_control":${mark}}`
}

/** A client's object as it stands, but for marks: those are counted and placed apart, and never twice. */
export function rawBlock(json: string): string {
  const document = scanObject(json)
  return document === undefined ? json : unmarkedText(document, 0)
}

/** A block that is not written: its mark goes to the one before. */
export function leftOut(where: string, mark: CacheMark | undefined): WrittenBlock {
  return { json: undefined, where, takes: 'a block that is not carried', mark, isResult: false }
}
