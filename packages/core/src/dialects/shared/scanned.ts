import type { Prompt } from '../../domain/prompt.ts'
import type { JsonDocument } from '../../json/json-document.ts'
import { scanJson } from '../../json/scan-json.ts'
import { Field } from './field.ts'

/** Scans live as long as their prompts: what `parse` scanned, `toGeneration` and `stream` need not scan again. */
const scans = new WeakMap<Prompt, JsonDocument>()

/** Keeps the scan of a prompt's body beside the prompt. */
export function remember(prompt: Prompt, document: JsonDocument): Prompt {
  scans.set(prompt, document)
  return prompt
}

/** The body of a prompt, ready to be read; scans it when the prompt was not made by `parse`. */
export function bodyOf(prompt: Prompt): Field {
  return Field.root(scans.get(prompt) ?? scanJson(prompt.body))
}
