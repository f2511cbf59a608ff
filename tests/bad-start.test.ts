import { expect, test } from 'vitest'
import { startServerProcess } from '../benchmarks/support/server-process.ts'

/** A configuration, and what the message that refuses it must name. */
const broken: readonly [string, string, readonly RegExp[]][] = [
  ['YAML that does not parse', 'server:\n  port: [1\n', [/incipit\.yaml/, /line 2|:[23]:/]],
  ['an unknown key, with its place', 'server:\n  prot: 1\n', [/prot/, /port/, /2/]],
  ['a value of the wrong type', 'server:\n  max_body_bytes: many\n', [/max_body_bytes/, /2/]],
  ['a missing variable', 'secret: ${INCIPIT_NO_SUCH_VARIABLE}\n', [/INCIPIT_NO_SUCH_VARIABLE/, /1/]],
  ['another host without keys', 'server: { host: 0.0.0.0 }\n', [/keys/]],
  ['a model file that is not there', 'engine: { models: [{ name: x, path: /no/such.gguf }] }\n', [/no\/such\.gguf/]],
  ['a model file that is none', 'engine: { models: [{ name: x, path: incipit.yaml }] }\n', [/incipit\.yaml/, /GGUF/i]],
]

test.each(broken)('a broken start says what is wrong: %s', async (_, config, patterns) => {
  const failure = await startServerProcess({ config }).then(
    () => new Error('it started'),
    (error: unknown) => error as Error,
  )
  for (const pattern of patterns) expect(failure.message).toMatch(pattern)
  expect(failure.message).not.toMatch(/\n\s+at .*\.(ts|js):\d+/)
})
