import type { GrammarRules } from './gbnf.ts'
import type { JsonRules } from './json-rules.ts'

/** What turns the parts of a schema into rules; the rules of each type ask it for those of what they contain. */
export interface SchemaReader {
  readonly rules: GrammarRules
  readonly json: JsonRules
  /** GBNF for a part of the schema, short enough to be repeated. */
  nested(schema: unknown, pointer: string, depth: number): string
  /** @throws IncipitError when the schema needs too many rules */
  checkSize(pointer: string): void
  /** Says what is not kept to. @throws IncipitError `unsupported_feature` where the client asked for strictness */
  cannot(pointer: string, what: string): void
  /** @throws IncipitError `unsupported_feature` */
  refuse(pointer: string, what: string): never
  /** @throws IncipitError `invalid_request` */
  invalid(pointer: string, what: string): never
}
