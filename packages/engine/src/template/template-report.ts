import { IncipitError } from '@incipit/core'
import type { TemplateReport } from '../engine.ts'
import type { Model } from '../native/contract.ts'
import { generationOf, probeMessages } from './probe-conversations.ts'
import { tokenizerOf } from './prompt-tokenizer.ts'
import { switchWarnings } from './switch-stability.ts'
import { templateFamily } from './template-family.ts'
import { templateNotes } from './template-notes.ts'
import { turnWarnings } from './turn-stability.ts'

/**
 * What the chat template of a model does to prefixes: what of a prompt changes with a switch or with the next turn
 * though all before it is the same. It is found by rendering small conversations, not by reading the template.
 *
 * @example templateReport(model).warnings[0]?.text // 'the template prints the reasoning effort at token 8, ...'
 */
export function templateReport(model: Model): TemplateReport {
  const family = templateFamily(model.facts.chatTemplate)
  try {
    const tokenizer = tokenizerOf(model)
    tokenizer.tokens(generationOf({ messages: probeMessages.asked }))
    const warnings = [...switchWarnings(tokenizer), ...turnWarnings(tokenizer)]
    return { family, warnings, notes: templateNotes(tokenizer) }
  } catch (error) {
    if (!IncipitError.is(error)) throw error
    return { family, warnings: [{ kind: 'unusable', atToken: undefined, text: error.message }], notes: [] }
  }
}
