/** Their keys are names that people chose, not settings. */
const named: ReadonlySet<string> = new Set(['orgKeys', 'modelNames', 'headers'])

/**
 * The same value with the keys that `incipit.yaml` uses; what is left out stays left out.
 * @example snakeCaseKeys({ dataDir: '.incipit' }) // { data_dir: '.incipit' }
 */
export function snakeCaseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCaseKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      inner === undefined
        ? []
        : [
            [
              key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
              named.has(key) ? inner : snakeCaseKeys(inner),
            ],
          ],
    ),
  )
}
