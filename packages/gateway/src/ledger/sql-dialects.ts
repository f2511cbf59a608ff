/** What is not the same SQL in both stores. */
export interface SqlDialect {
  readonly name: 'sqlite' | 'postgres'
  /** Whether `answer_id` begins with `resp_`: the condition of its index. */
  readonly isStoredAnswer: string
  /** The condition that a column is in a list, which is bound as the text of a JSON array. */
  isOneOf(column: string, type: 'text' | 'bigint'): string
}

export const sqliteDialect: SqlDialect = {
  name: 'sqlite',
  isStoredAnswer: "answer_id GLOB 'resp_*'",
  isOneOf: (column) => `${column} IN (SELECT value FROM json_each(?))`,
}

export const postgresDialect: SqlDialect = {
  name: 'postgres',
  isStoredAnswer: "answer_id LIKE 'resp\\_%'",
  isOneOf: (column, type) => `${column} = ANY (ARRAY(SELECT json_array_elements_text(?::json)::${type}))`,
}
