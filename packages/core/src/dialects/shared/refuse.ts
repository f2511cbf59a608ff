import type { Field } from './field.ts'

/**
 * Refuses fields that a local model cannot honour: to pass over them in silence would answer another
 * question than the one asked.
 *
 * @throws IncipitError `unsupported_feature` with the reason given for the field
 */
export function refuseFields(root: Field, reasons: Readonly<Record<string, string>>): void {
  for (const [name, reason] of Object.entries(reasons)) root.find(name)?.unsupported(reason)
}

/** Refuses answers in any form but free text. */
export function refuseFormats(root: Field): void {
  const format = root.find('response_format')?.object().get('type')
  if (format !== undefined && format.string() !== 'text') format.unsupported('only "text" is supported')
}
