import type { ModelSettings } from './config.ts'
import type { ConfigPath } from './schema.ts'

/**
 * Names and aliases of local models that an earlier model has already: requests would never reach the later one.
 * Globs that overlap are no mistake, the first in order has what both match.
 *
 * @example claimedNames(engine.models)[0]?.text // '"fast" is an alias of model "a" too'
 */
export function claimedNames(
  models: readonly Pick<ModelSettings, 'name' | 'aliases'>[],
): { readonly path: ConfigPath; readonly text: string }[] {
  const problems: { path: ConfigPath; text: string }[] = []
  for (const [index, { name, aliases }] of models.entries()) {
    const earlier = models.slice(0, index)
    if (earlier.some((model) => model.name === name)) {
      problems.push({ path: ['engine', 'models', index, 'name'], text: `the name "${name}" stands above` })
    }
    for (const [at, alias] of aliases.entries()) {
      const path = ['engine', 'models', index, 'aliases', at]
      const owner = earlier.find((model) => model.aliases.includes(alias))
      if (models.some((model) => model.name === alias && model.name !== name)) {
        problems.push({ path, text: `a model has the name "${alias}"` })
      } else if (owner !== undefined) {
        problems.push({ path, text: `"${alias}" is an alias of model "${owner.name}" too` })
      }
    }
  }
  return problems
}
