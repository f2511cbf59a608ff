import type { Breakpoint, DialectName, Profile, Prompt, PromptIdentity, Segment } from '../../domain/prompt.ts'
import type { JsonDocument } from '../../json/json-document.ts'
import { scanJson } from '../../json/scan-json.ts'
import { Field } from './field.ts'

/**
 * Keeps the scan of a prompt's body with the prompt: what `parse` scanned, `toGeneration` and `stream` need not scan again.
 * A copy of the prompt has it not, because its body may be another. (A weak map would cost more than parsing a small body.)
 */
class ScannedPrompt implements Required<Prompt> {
  readonly dialect: DialectName
  readonly body: Uint8Array
  readonly model: string
  readonly stream: boolean
  readonly segments: readonly Segment[]
  readonly profile: Profile
  readonly breakpoints: readonly Breakpoint[]
  readonly identity: PromptIdentity
  readonly isolationKey: string | undefined
  readonly cacheTtl: Breakpoint['ttl'] | undefined
  readonly prewarms: boolean | undefined
  readonly #document: JsonDocument

  constructor(prompt: Prompt, document: JsonDocument) {
    this.dialect = prompt.dialect
    this.body = prompt.body
    this.model = prompt.model
    this.stream = prompt.stream
    this.segments = prompt.segments
    this.profile = prompt.profile
    this.breakpoints = prompt.breakpoints
    this.identity = prompt.identity
    this.isolationKey = prompt.isolationKey
    this.cacheTtl = prompt.cacheTtl
    this.prewarms = prompt.prewarms
    this.#document = document
  }

  static documentOf(prompt: Prompt): JsonDocument | undefined {
    return #document in prompt ? prompt.#document : undefined
  }
}

/** The prompt with the scan of its body. */
export function remember(prompt: Prompt, document: JsonDocument): Prompt {
  return new ScannedPrompt(prompt, document)
}

/** The body of a prompt, ready to be read; scans it when the prompt was not made by `parse`. */
export function bodyOf(prompt: Prompt): Field {
  return Field.root(ScannedPrompt.documentOf(prompt) ?? scanJson(prompt.body))
}
