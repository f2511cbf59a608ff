import type { Field } from '../dialects/shared/field.ts'
import type { Conversation, Tool } from '../domain/conversation.ts'
import type { Edit } from '../domain/edit.ts'
import type { Prompt, Span } from '../domain/prompt.ts'

const encoder = new TextEncoder()
const why = 'the upstream has no isolation of its own: prompts of another scope begin with another text'

export interface SaltInput {
  readonly prompt: Prompt
  readonly root: Field
  readonly salt: string
  /** Whether another edit takes this part of the body out. */
  readonly isGone: (span: Span) => boolean
}

/**
 * The edits that begin a prompt with a text of the scope: whatever follows then shares no prefix with another
 * scope's. In the first tool, since tools are rendered first, and before all instructions.
 */
export function saltTextEdit(input: SaltInput): Edit[] {
  return [...saltTool(input), ...saltInstructions(input)]
}

/** The same for a conversation that is written in another dialect. */
export function withSaltText(conversation: Conversation, salt: string): Conversation {
  const first = conversation.tools.find((tool) => tool.kind === 'function' && !tool.deferLoading)
  const tools = conversation.tools.map((tool): Tool => {
    if (tool !== first || tool.kind !== 'function') return tool
    return { ...tool, description: tool.description === undefined ? salt : `${salt}\n${tool.description}` }
  })
  const blocks = [{ kind: 'text', text: salt, pointer: '' }] as const
  return {
    ...conversation,
    tools,
    turns: [{ role: 'system', pointer: '', name: undefined, blocks }, ...conversation.turns],
  }
}

/** A tool that the provider runs has no description that could be set, and one that is loaded later is not in the prefix. */
function saltTool({ root, salt }: SaltInput): Edit[] {
  const first = ['tools', 'functions'].flatMap((name) => elementsOf(root.find(name))).find(isDescribed)
  if (first === undefined) return []
  const wrapped = first.find('function') ?? first.find('custom')
  const tool = wrapped?.kind === 'object' ? wrapped : first
  const description = tool.find('description')
  if (description?.kind === 'string') return insert(description.span.start + 1, lineOf(salt))
  return description === undefined ? setMember(tool, 'description', JSON.stringify(salt)) : []
}

function isDescribed(tool: Field): boolean {
  if (tool.kind !== 'object') return false
  const type = tool.find('type')
  const deferred = tool.find('defer_loading')
  if (deferred?.kind === 'boolean' && deferred.boolean()) return false
  return type === undefined || (type.kind === 'string' && ['function', 'custom'].includes(type.string()))
}

function saltInstructions(input: SaltInput): Edit[] {
  const { prompt, root, salt } = input
  if (prompt.dialect === 'anthropic-messages') return saltSystem(input)
  if (prompt.dialect === 'openai-responses') return saltResponses(root, salt)
  return saltContent(root.find('messages') ?? root.find('prompt'), salt)
}

/** Instructions are rendered before the input; a body that goes on from what is stored may have neither. */
function saltResponses(root: Field, salt: string): Edit[] {
  const instructions = root.find('instructions')
  if (instructions !== undefined) return saltContent(instructions, salt)
  const input = root.find('input')
  return input === undefined ? setMember(root, 'instructions', JSON.stringify(salt)) : saltContent(input, salt)
}

/** A list of messages begins with one more, one text alone with a line. */
function saltContent(content: Field | undefined, salt: string): Edit[] {
  if (content?.kind === 'string') return insert(content.span.start + 1, lineOf(salt))
  if (content?.kind !== 'array') return []
  const comma = content.elements().length === 0 ? '' : ','
  return insert(content.span.start + 1, `{"role":"system","content":${JSON.stringify(salt)}}${comma}`)
}

function saltSystem({ root, salt, isGone }: SaltInput): Edit[] {
  const system = root.find('system')
  const block = `{"type":"text","text":${JSON.stringify(salt)}}`
  if (system === undefined) return setMember(root, 'system', `[${block}]`)
  if (system.kind === 'string') return insert(system.span.start + 1, lineOf(salt))
  if (system.kind !== 'array') return []
  const isAlone = system.elements().every(({ span }) => isGone(span))
  return insert(system.span.start + 1, isAlone ? block : `${block},`)
}

/** Gives an object a member that it lacks: where it says `null`, in that place, since the last of a name counts. */
function setMember({ document, node, span }: Field, name: string, json: string): Edit[] {
  const absent = document.find(node, name)
  if (absent === undefined) return insert(span.start + 1, `${JSON.stringify(name)}:${json},`)
  return [{ ...document.span(absent), name: 'salt-text', replacement: encoder.encode(json), why }]
}

/** The text as a line inside a JSON string. */
function lineOf(salt: string): string {
  return JSON.stringify(`${salt}\n`).slice(1, -1)
}

function insert(at: number, text: string): Edit[] {
  return [{ name: 'salt-text', start: at, end: at, replacement: encoder.encode(text), why }]
}

function elementsOf(list: Field | undefined): Field[] {
  return list?.kind === 'array' ? list.elements() : []
}
