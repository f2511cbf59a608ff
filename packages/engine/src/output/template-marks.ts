import { chatmlTemplate } from '../gguf/chatml.ts'
import type { Model } from '../native/contract.ts'
import type { TemplateMarks } from './answer-plan.ts'
import { callStyle } from './call-style.ts'
import { channelMarks } from './channel-scan.ts'
import type { OutputMarks } from './output-scan.ts'

/** Tokens at the end of a prompt in which a tag can stand, whatever the vocabulary. */
const endTokens = 16

/**
 * What the chat template of a model says about its answers.
 * @param writesTools whether tools are told by the template; else they are told in the way of our own
 * @example templateMarks(model.facts.chatTemplate).thinking?.close // '</think>'
 */
export function templateMarks(template: string = chatmlTemplate, writesTools: boolean = true): TemplateMarks {
  const thinks = template.includes('<think>') || template.includes('</think>')
  return {
    calls: callStyle(writesTools ? template : chatmlTemplate),
    thinking: thinks ? { open: '<think>', close: '</think>', begun: false } : undefined,
    channels: template.includes('<|channel|>'),
  }
}

/**
 * The same marks behind a prompt: some templates end prompts with the opening tag, so that an answer begins inside.
 * @example marksBehind(templateMarks(source), model, prompt).thinking?.begun // true
 */
export function marksBehind(marks: TemplateMarks, model: Model, prompt: Int32Array): TemplateMarks {
  const { thinking } = marks
  if (thinking === undefined) return marks
  const end = [...prompt.subarray(-endTokens)].map((token) => {
    const bytes = model.tokenBytes(token)
    return bytes.length === 0 ? Buffer.from(model.tokenText(token)) : Buffer.from(bytes)
  })
  const begun = Buffer.concat(end).toString('utf8').trimEnd().endsWith(thinking.open)
  return { ...marks, thinking: { ...thinking, begun } }
}

/**
 * Control tokens that are marks of an answer, with the text that they stand for there: as tokens they have none.
 * @example spelledMarks(plan.marks, model).get(token) // the bytes of '[TOOL_CALLS]'
 */
export function spelledMarks(marks: OutputMarks, model: Model): ReadonlyMap<number, Uint8Array> {
  const { calls, thinking, channels = false } = marks
  const spellings = [calls?.trigger, thinking?.open, thinking?.close, ...(channels ? channelMarks : [])]
  const found = spellings.flatMap((spelling): [number, Uint8Array][] => {
    const token = spelling === undefined ? undefined : model.controlTokens.get(spelling)
    return token === undefined || spelling === undefined ? [] : [[token, Buffer.from(spelling)]]
  })
  return new Map(found)
}
