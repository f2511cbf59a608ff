import { IncipitError } from '@incipit/core'
import type { ChatTemplate } from './chat-template.ts'

/** What templates differ in: found by asking them, not by their names. */
export interface TemplateTraits {
  /** Content is a list of parts; a string does not come out. */
  readonly typedContent: boolean
  /** Knows the role `developer`; others get `system`. */
  readonly developerRole: boolean
  /** Where instructions may stand: `first` in front of all turns, `nowhere` in no role of their own. */
  readonly system: 'anywhere' | 'first' | 'nowhere'
  /** Refuses two turns of the same role in a row, or passes over one. */
  readonly alternates: boolean
  /** Writes definitions of tools. */
  readonly toolDefinitions: boolean
  /** Writes calls of tools and their results. */
  readonly toolTurns: boolean
  /** Refuses a question right behind the result of a tool. */
  readonly answersResults: boolean
  /** Takes one call in a turn. */
  readonly singleCalls: boolean
  /** Takes ids of calls of nine letters and digits only. */
  readonly shortIds: boolean
  /** Takes tool-call arguments as text; others want them parsed. */
  readonly argumentText: boolean
}

type Message = Readonly<Record<string, unknown>>

/** Words that no template has, and in which none has anything to escape. */
const words = {
  system: 'probeSystem',
  first: 'probeFirst',
  answer: 'probeAnswer',
  later: 'probeLater',
  second: 'probeSecond',
  tool: 'probeTool',
  result: 'probeResult',
  given: 'givenValue',
} as const

const user = (content: unknown = words.first): Message => ({ role: 'user', content })
const answer: Message = { role: 'assistant', content: words.answer }
const system: Message = { role: 'system', content: words.system }
const later: Message = { role: 'system', content: words.later }
const shortId = 'probe0001'
const longId = 'call_0123456789abcdef'
const probedArguments = { value: words.given }
const argumentText = `{"value": "${words.given}"}`

/**
 * Tries a template out with small conversations.
 * @example templateTraits(compileTemplate(source), { eos_token: '</s>' }).system // 'nowhere'
 */
export function templateTraits(template: ChatTemplate, tokens: Readonly<Record<string, unknown>>): TemplateTraits {
  const probe = new Probe(template, tokens)
  const typedContent = !probe.shows([user()], words.first) && probe.shows([probe.typed(user())], words.first)
  probe.typedContent = typedContent
  const developer = { role: 'developer', content: words.system }
  return {
    typedContent,
    developerRole:
      /['"]developer['"]/.test(template.source) && probe.shows([developer, user()], words.system, words.first),
    system: systemPlace(probe),
    alternates:
      !probe.shows([user(), user(words.second)], words.first, words.second) ||
      !probe.shows([user(), answer, { ...answer, content: words.later }], words.answer, words.later),
    ...toolTraits(probe),
  }
}

function systemPlace(probe: Probe): TemplateTraits['system'] {
  const history = [user(), answer, user(words.second)]
  // Some write the instructions into the last turn: they would move with every turn.
  if (!probe.shows([system, ...history], words.system, words.first, words.answer, words.second)) return 'nowhere'
  const between = [system, user(), answer, later, user(words.second)]
  const inOrder = [words.system, words.first, words.answer, words.later, words.second]
  return probe.shows(between, ...inOrder) && probe.shows([system, later, user()], words.system, words.later)
    ? 'anywhere'
    : 'first'
}

type ToolTraits = Pick<
  TemplateTraits,
  'toolDefinitions' | 'toolTurns' | 'answersResults' | 'singleCalls' | 'shortIds' | 'argumentText'
>

function toolTraits(probe: Probe): ToolTraits {
  const turns = (calls: readonly Message[], ...behind: Message[]): Message[] => [
    user(),
    { role: 'assistant', content: '', tool_calls: calls },
    ...calls.map(({ id }) => ({ role: 'tool', content: words.result, name: words.tool, tool_call_id: id })),
    ...behind,
  ]
  const asText = (id: string): Message => call(id, argumentText)
  const asObject = (id: string): Message => call(id, probedArguments)
  const takesText = probe.render(turns([asText(shortId)]), true)?.includes(argumentText) === true
  const make = takesText ? asText : asObject
  const takes = (messages: readonly Message[]): boolean =>
    probe.render(messages, true)?.split(words.result).length === 1 + messages.filter(isResult).length
  const said = probe.render(turns([make(shortId)]), false) ?? probe.render(turns([make(shortId)]), true)
  const toolTurns = said !== undefined && inOrder(said, [words.tool, words.given, words.result])
  return {
    toolDefinitions: probe.render([user()], true)?.includes(words.tool) === true,
    toolTurns,
    argumentText: takesText,
    singleCalls: toolTurns && !takes(turns([make(shortId), make('probe0002')])),
    shortIds: toolTurns && !takes(turns([make(longId)])),
    answersResults: toolTurns && probe.render(turns([make(shortId)], user(words.second)), true) === undefined,
  }
}

function call(id: string, given: unknown): Message {
  return { id, type: 'function', function: { name: words.tool, arguments: given } }
}

function isResult({ role }: Message): boolean {
  return role === 'tool'
}

const definition = {
  type: 'function',
  function: { name: words.tool, description: 'Probes', parameters: { type: 'object', properties: {} } },
}

/** One template, asked what it makes of messages. */
class Probe {
  typedContent = false
  readonly #template: ChatTemplate
  readonly #tokens: Readonly<Record<string, unknown>>

  constructor(template: ChatTemplate, tokens: Readonly<Record<string, unknown>>) {
    this.#template = template
    this.#tokens = tokens
  }

  typed(message: Message): Message {
    return { ...message, content: [{ type: 'text', text: message['content'] }] }
  }

  /** `undefined` when the template refuses the messages. */
  render(messages: readonly Message[], withTools: boolean): string | undefined {
    const input = {
      ...this.#tokens,
      messages: this.typedContent ? messages.map((message) => this.typed(message)) : messages,
      add_generation_prompt: true,
      tool_choice: 'auto',
      ...(withTools ? { tools: [definition] } : {}),
    }
    try {
      return this.#template.render(input)
    } catch (error) {
      if (IncipitError.is(error)) return undefined
      throw error
    }
  }

  /** Whether all words come out, in this order. */
  shows(messages: readonly Message[], ...wanted: string[]): boolean {
    const text = this.render(messages, false)
    return text !== undefined && inOrder(text, wanted)
  }
}

function inOrder(text: string, wanted: readonly string[]): boolean {
  let at = 0
  return wanted.every((word) => {
    const found = text.indexOf(word, at)
    at = found + word.length
    return found !== -1
  })
}
