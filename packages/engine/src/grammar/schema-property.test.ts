import { Ajv2020 } from 'ajv/dist/2020.js'
import { default as addFormats } from 'ajv-formats'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { modelFile } from '../gguf/demo-model.ts'
import type { Model } from '../native/contract.ts'
import { createRandom } from '../sample/random.ts'
import { requireNative, temporaryDirectory } from '../testing/native-fixture.ts'
import { schemaArbitrary } from '../testing/schema-arbitrary.ts'
import { grammarText } from './gbnf.ts'
import { SchemaRules } from './schema-grammar.ts'

let model: Model
const directory = temporaryDirectory()
beforeAll(() => {
  model = requireNative().loadModel(modelFile('builtin:demo', directory), { dataDir: directory })
})
afterAll(() => model.close())

/** What random choices within a grammar make of it; `undefined` where they come to no end. */
function sample(grammarSource: string, random: () => number, mostTokens = 200): string | undefined {
  const grammar = model.createGrammar(grammarSource)
  const bytes: number[] = []
  const closing = ['"', '}', ']', '"}', '"}]', 'null', '0'].map((text) => model.tokenize(text, { special: false }))
  try {
    for (let count = 0; count < mostTokens; count++) {
      const logits = Float32Array.from({ length: model.facts.vocabularySize }, () => random())
      logits[model.facts.eosToken] = 2
      // What ends strings and lists gets its chance, sooner or later.
      const chance = 0.2 + count / mostTokens
      for (const [token] of closing) if (token !== undefined && random() < chance) logits[token] = 1 + random()
      const masked = grammar.mask(logits)
      let token = 0
      for (let other = 1; other < masked.length; other++) {
        if ((masked[other] ?? 0) > (masked[token] ?? 0)) token = other
      }
      if (masked[token] === -Infinity) throw new Error('nothing may follow')
      if (model.endsGeneration(token)) return Buffer.from(bytes).toString('utf8')
      grammar.accept(token)
      bytes.push(...model.tokenBytes(token))
    }
    return undefined
  } finally {
    grammar.close()
  }
}

test('whatever is generated for a schema is JSON that it allows', { timeout: 120_000 }, () => {
  let ended = 0
  fc.assert(
    fc.property(schemaArbitrary, fc.nat(), (schema, seed) => {
      const ajv = addFormats.default(new Ajv2020({ strict: false, multipleOfPrecision: 6 }))
      const allows = ajv.compile(schema ?? {})
      const grammar = grammarText((rules) => new SchemaRules(rules, schema, { strict: false, pointer: '' }).root())
      const random = createRandom(seed)
      for (let round = 0; round < 3; round++) {
        const text = sample(grammar, random)
        if (text === undefined) continue
        ended++
        const value: unknown = JSON.parse(text)
        expect([text, allows(value), allows.errors]).toEqual([text, true, null])
      }
    }),
    { numRuns: Number(process.env['SCHEMA_RUNS'] ?? 60) },
  )
  expect(ended).toBeGreaterThan(30)
})
