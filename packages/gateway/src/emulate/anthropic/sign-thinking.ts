import { createHmac } from 'node:crypto'
import type { JsonObject } from '../json.ts'
import { textOf } from '../json.ts'

// No secret: it only has to tell the emulator's own signatures from others, also after a restart.
const signingKey = 'incipit emulator'

/**
 * The signature under a thinking block.
 * @example signThinking('First, what was asked.')
 */
export function signThinking(thinking: string): string {
  return createHmac('sha256', signingKey).update(thinking).digest('base64')
}

/** Whether a block of the history is as the emulator gave it out. */
export function hasValidSignature(block: JsonObject): boolean {
  return textOf(block['signature']) === signThinking(textOf(block['thinking']) ?? '')
}
