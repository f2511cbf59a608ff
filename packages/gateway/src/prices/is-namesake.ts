import { isModelNamed, plainModelName } from '@incipit/core'

/**
 * Whether a model was found only because its name begins alike: that data takes `claude-sonnet-5-7` for
 * `claude-sonnet-5`, and a price of another model looks like any other. A date, a region or a revision does not make a
 * name another one.
 *
 * @example isNamesake('claude-sonnet-5-7', 'claude-sonnet-5') // true
 */
export function isNamesake(asked: string, found: string): boolean {
  const name = bareName(asked)
  return [found, found.replace(vendor, '')].map(bareName).some((of) => beginsOnly(name, of))
}

function beginsOnly(name: string, of: string): boolean {
  return name.startsWith(of) && !isModelNamed(name, of) && !revision.test(name.slice(of.length))
}

/** `openai.` in Bedrock's `regional.openai.gpt-5.6-sol`, which is found by `gpt-5.6-sol` too. */
const vendor = /^(?:(?:regional|global)\.)?[a-z][a-z0-9]*\.(?=[a-z])/

/** `-001`, `-0613`, `-09-2025` */
const revision = /^(?:-\d{3,4}|-\d{2}-\d{2,4})$/

/** Bedrock puts region and vendor before a name, and a version behind it. */
function bareName(model: string): string {
  return plainModelName(model)
    .replace(/^(?:(?:regional|global|us-gov|us|eu|apac|au|jp)-)?(?:anthropic-)?/, '')
    .replace(/-v\d+(?::\d+)?$/, '')
}
