import { createHash } from 'node:crypto'
import type { ChatMessage, ToolCall } from '@incipit/core'
import type { TemplateTraits } from './template-traits.ts'

/**
 * The messages of a conversation as a template takes them: what it would refuse or pass over stands where it does
 * neither. Every message depends on what is before it alone, so that a longer conversation keeps its opening.
 *
 * @param toolText definitions of tools for a template that has no place for them; '' = none
 * @example foldMessages([{ role: 'system', content: 'S' }, { role: 'user', content: 'Q' }], traits, '')
 */
export function foldMessages(
  messages: readonly ChatMessage[],
  traits: TemplateTraits,
  toolText: string,
): readonly ChatMessage[] {
  // Long histories come with every request: what is as it should be is not copied.
  let folded = !traits.shortIds && messages.every(hasIds) ? messages : withIds(messages, traits)
  if (!traits.developerRole && folded.some(isDeveloper)) folded = folded.map(developerAsSystem)
  if (!traits.toolTurns || !traits.toolDefinitions) folded = toolTurnsAsText(folded)
  else if (traits.singleCalls) folded = oneCallEach(folded)
  if (toolText !== '') folded = withToolText(folded, toolText)
  if (traits.system !== 'anywhere') folded = systemAsUser(folded, traits.system === 'first')
  if (traits.answersResults) folded = questionsInResults(folded)
  return traits.alternates ? joined(folded, ({ role }) => role === 'user' || role === 'assistant') : folded
}

const isInstruction = ({ role }: ChatMessage): boolean => role === 'system' || role === 'developer'

const isDeveloper = ({ role }: ChatMessage): boolean => role === 'developer'

function developerAsSystem(message: ChatMessage): ChatMessage {
  return isDeveloper(message) ? { ...message, role: 'system' } : message
}

function hasIds({ role, toolCalls, toolCallId = '' }: ChatMessage): boolean {
  return role === 'tool' ? toolCallId !== '' : (toolCalls?.every(({ id }) => id !== '') ?? true)
}

/** Calls that no client gave an id get one by their order; a result without one answers the first open call. */
function withIds(messages: readonly ChatMessage[], { shortIds }: TemplateTraits): readonly ChatMessage[] {
  let open: string[] = []
  let calls = 0
  const known = (id: string | undefined): string | undefined => {
    if (id === undefined || id === '') return undefined
    return shortIds ? shortIdOf(id) : id
  }
  return messages.map((message) => {
    const { role, toolCalls = [] } = message
    if (role === 'tool') {
      const id = known(message.toolCallId) ?? open[0] ?? idAt(calls)
      open = open.filter((other) => other !== id)
      return { ...message, toolCallId: id }
    }
    if (toolCalls.length === 0) return message
    const named = toolCalls.map((call) => {
      calls++
      return { ...call, id: known(call.id) ?? idAt(calls) }
    })
    open = named.map(({ id }) => id)
    return { ...message, toolCalls: named }
  })
}

function idAt(count: number): string {
  return `call${String(count).padStart(5, '0')}`
}

/** Nine letters and digits, the same for the same id. */
function shortIdOf(id: string): string {
  return /^[a-zA-Z0-9]{9}$/.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, 9)
}

/** Calls and results the way that `chatmlTools` asks for: results in a row are one turn. */
function toolTurnsAsText(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const all: ChatMessage[] = []
  for (const [index, message] of messages.entries()) {
    const text = toolTurnAsText(message)
    const last = all.at(-1)
    if (last !== undefined && message.role === 'tool' && messages[index - 1]?.role === 'tool') {
      all[all.length - 1] = { ...last, content: `${last.content}\n${text.content}` }
    } else all.push(text)
  }
  return all
}

function toolTurnAsText({ toolCalls = [], ...message }: ChatMessage): ChatMessage {
  if (message.role === 'tool') {
    return { role: 'user', content: `<tool_response>\n${message.content}\n</tool_response>` }
  }
  const calls = toolCalls.map(
    ({ name, arguments: given }) =>
      `<tool_call>\n{"name": ${JSON.stringify(name)}, "arguments": ${given}}\n</tool_call>`,
  )
  return { ...message, content: [...(message.content === '' ? [] : [message.content]), ...calls].join('\n') }
}

/** Several calls of a turn become turns of one call, each with its result. */
function oneCallEach(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const apart: ChatMessage[] = []
  for (let at = 0; at < messages.length; at++) {
    const message = messages[at] as ChatMessage // at is below the length
    const { toolCalls = [] } = message
    if (toolCalls.length < 2) {
      apart.push(message)
      continue
    }
    const behind = messages.findIndex(({ role }, index) => index > at && role !== 'tool')
    const results = messages.slice(at + 1, behind === -1 ? messages.length : behind)
    apart.push(...pairsOf(message, toolCalls, results))
    at += results.length
  }
  return apart
}

function pairsOf(turn: ChatMessage, calls: readonly ToolCall[], results: readonly ChatMessage[]): ChatMessage[] {
  const left = [...results]
  const pairs = calls.flatMap((call, index): ChatMessage[] => {
    const place = left.findIndex(({ toolCallId }) => toolCallId === call.id)
    const said: ChatMessage = index === 0 ? turn : { role: 'assistant', content: '' }
    return [{ ...said, toolCalls: [call] }, ...(place === -1 ? [] : left.splice(place, 1))]
  })
  return [...pairs, ...left]
}

function withToolText(messages: readonly ChatMessage[], text: string): readonly ChatMessage[] {
  const [first] = messages
  if (first === undefined || !isInstruction(first)) return [{ role: 'system', content: text }, ...messages]
  return [{ ...first, content: between(text, first.content) }, ...messages.slice(1)]
}

/** Instructions that have no place of their own are said by the user, where they stand. */
function systemAsUser(messages: readonly ChatMessage[], keepsFirst: boolean): readonly ChatMessage[] {
  const turns = messages.findIndex((message) => !isInstruction(message))
  const opening = messages.slice(0, turns === -1 ? messages.length : turns)
  const rest = messages.slice(opening.length).map(asUser)
  // Together with the turn behind them, as models without this role were trained.
  if (!keepsFirst) return [...joined(opening.map(asUser), () => true), ...rest].reduce(intoFirst, [])
  return [...joined(opening, isInstruction), ...rest]
}

function asUser(message: ChatMessage): ChatMessage {
  return isInstruction(message) ? { ...message, role: 'user' } : message
}

/** The second message goes into the first one where both are of the user. */
function intoFirst(all: ChatMessage[], message: ChatMessage): ChatMessage[] {
  const [first] = all
  if (all.length === 1 && first?.role === 'user' && message.role === 'user') return [join(first, message)]
  all.push(message)
  return all
}

function questionsInResults(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const all: ChatMessage[] = []
  for (const message of messages) {
    const last = all.at(-1)
    if (message.role === 'user' && last?.role === 'tool') {
      all[all.length - 1] = { ...last, content: between(last.content, message.content) }
    } else all.push(message)
  }
  return all
}

/** Neighbours of the same role become one, where `may` says so; nothing is said behind calls. */
function joined(messages: readonly ChatMessage[], may: (message: ChatMessage) => boolean): readonly ChatMessage[] {
  const all: ChatMessage[] = []
  for (const message of messages) {
    const last = all.at(-1)
    const isOpen = last?.role === message.role && last.toolCalls === undefined
    if (isOpen && may(message)) all[all.length - 1] = join(last, message)
    else all.push(message)
  }
  return all
}

function join(first: ChatMessage, second: ChatMessage): ChatMessage {
  const reasoning = [first.reasoning, second.reasoning].filter((text) => text !== undefined).join('\n')
  return {
    ...first,
    content: between(first.content, second.content),
    ...(reasoning === '' ? {} : { reasoning }),
    ...(second.toolCalls === undefined ? {} : { toolCalls: second.toolCalls }),
  }
}

function between(first: string, second: string): string {
  return first === '' || second === '' ? first + second : `${first}\n\n${second}`
}
