/** A schema that is an object. */
export type Schema = Readonly<Record<string, unknown>>

/** Keywords that say what is allowed; others describe. */
const constraining = new Set([
  '$ref',
  '$dynamicRef',
  '$recursiveRef',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'if',
  'then',
  'else',
  'type',
  'enum',
  'const',
  'pattern',
  'format',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'properties',
  'required',
  'additionalProperties',
  'patternProperties',
  'propertyNames',
  'minProperties',
  'maxProperties',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'items',
  'prefixItems',
  'additionalItems',
  'minItems',
  'maxItems',
  'uniqueItems',
  'unevaluatedItems',
  'contains',
  'minContains',
  'maxContains',
  'unevaluatedProperties',
])
const lowest = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties', 'minContains'])
const highest = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties', 'maxContains'])
const mostChoices = 256

/** Several schemas as one. */
export interface Merged {
  readonly schema: Schema
  /** Keywords of which only a part could be taken over. */
  readonly lost: readonly string[]
}

/** Whether a schema says what is allowed by other keywords than `except`. */
export function constrains(schema: Schema, except: readonly string[]): boolean {
  return Object.keys(schema).some((keyword) => constraining.has(keyword) && !except.includes(keyword))
}

/** What all of several schemas ask for. @example mergeSchemas([{ minimum: 1 }, { minimum: 2 }]).schema.minimum // 2 */
export function mergeSchemas(parts: readonly Schema[]): Merged {
  const lost = new Set<string>()
  const merged: Record<string, unknown> = {}
  for (const part of parts) {
    for (const [keyword, value] of Object.entries(part)) {
      if (!constraining.has(keyword)) continue
      if (keyword === 'const') join(merged, 'enum', [value], lost)
      else join(merged, keyword, value, lost)
    }
  }
  for (const part of parts) if (!isClosedOver(part, merged)) lost.add('additionalProperties')
  return { schema: merged, lost: [...lost] }
}

function join(merged: Record<string, unknown>, keyword: string, value: unknown, lost: Set<string>): void {
  const before = merged[keyword]
  if (before === undefined || before === value) merged[keyword] = value
  else if (typeof before === 'number' && typeof value === 'number' && lowest.has(keyword))
    merged[keyword] = Math.max(before, value)
  else if (typeof before === 'number' && typeof value === 'number' && highest.has(keyword))
    merged[keyword] = Math.min(before, value)
  else merged[keyword] = joined(keyword, before, value, lost)
}

function joined(keyword: string, before: unknown, value: unknown, lost: Set<string>): unknown {
  switch (keyword) {
    case 'properties':
      return isRecord(before) && isRecord(value) ? bothMembers(before, value) : value
    case 'required':
      return Array.isArray(before) && Array.isArray(value) ? [...new Set([...before, ...value])] : value
    case 'type':
      return commonTypes(before, value)
    case 'enum':
      return Array.isArray(before) && Array.isArray(value) ? common(before, value) : value
    case 'items':
    case 'contains':
      return { allOf: [before, value] }
    case 'allOf':
      return Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value
    case 'anyOf':
    case 'oneOf': {
      if (!Array.isArray(before) || !Array.isArray(value)) return value
      if (before.length * value.length > mostChoices) break
      return before.map((choice: unknown) => ({ allOf: [choice, { [keyword]: value }] }))
    }
    case 'additionalProperties':
      if (before === false || value === false) return false
      if (before === true || value === true) return before === true ? value : before
      return { allOf: [before, value] }
    case 'uniqueItems':
      return before === true || value === true
    default:
      break
  }
  if (JSON.stringify(before) !== JSON.stringify(value)) lost.add(keyword)
  return value
}

function bothMembers(before: Schema, value: Schema): Schema {
  const members: Record<string, unknown> = { ...before }
  for (const [name, schema] of Object.entries(value)) {
    const other = Object.hasOwn(members, name) ? members[name] : undefined
    Object.defineProperty(members, name, {
      value: other === undefined ? schema : { allOf: [other, schema] },
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return members
}

/** Whether a part that allows no other members than its own has all that the whole has. */
function isClosedOver(part: Schema, merged: Schema): boolean {
  if (part['additionalProperties'] === undefined || part['additionalProperties'] === true) return true
  const own = isRecord(part['properties']) ? part['properties'] : {}
  return Object.keys(isRecord(merged['properties']) ? merged['properties'] : {}).every((name) =>
    Object.hasOwn(own, name),
  )
}

function commonTypes(before: unknown, value: unknown): unknown {
  const left = Array.isArray(before) ? before : [before]
  const right = Array.isArray(value) ? value : [value]
  const both = left.flatMap((type: unknown) => {
    if (right.includes(type)) return [type]
    if (type === 'number' && right.includes('integer')) return ['integer']
    return type === 'integer' && right.includes('number') ? ['integer'] : []
  })
  return both.length === 1 ? both[0] : both
}

function common(before: readonly unknown[], value: readonly unknown[]): unknown[] {
  const texts = new Set(value.map((one) => JSON.stringify(one)))
  return before.filter((one) => texts.has(JSON.stringify(one)))
}

/** An object that is no array. */
export function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
