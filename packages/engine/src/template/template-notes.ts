import type { PromptTokenizer } from './prompt-tokenizer.ts'
import { firstChange } from './switch-stability.ts'
import { turnLoss } from './turn-stability.ts'
import { generationOf, probeMessages } from './probe-conversations.ts'

/**
 * How conversations are fitted to a template, and what it may be told, in words for people.
 * @example templateNotes(tokenizer) // ['the template prints a date at token 31: none is given, ...']
 */
export function templateNotes(tokenizer: PromptTokenizer): readonly string[] {
  return [...dateNotes(tokenizer), ...askingNotes(tokenizer), ...fittingNotes(tokenizer)]
}

function dateNotes(tokenizer: PromptTokenizer): string[] {
  const dates = ['1 May 2001', '2 June 2002'].map((date) => ({ switches: { variables: { date_string: date } } }))
  const atToken = /date_string|strftime_now/.test(tokenizer.source) ? firstChange(tokenizer, dates) : undefined
  if (atToken === undefined) return []
  return [
    `the template prints a date at token ${atToken}: it is not told one, or every conversation would change at midnight; a client may (chat_template_kwargs.date_string)`,
  ]
}

function askingNotes(tokenizer: PromptTokenizer): string[] {
  const { asked } = probeMessages
  const next = [...asked, { role: 'assistant' as const, content: 'The blue one.' }, ...asked.slice(-1)]
  return [undefined, false].flatMap((thinking) => {
    const switches = thinking === undefined ? {} : { thinking }
    const { tokens, asking } = turnLoss(
      tokenizer,
      generationOf({ messages: asked, switches }),
      generationOf({ messages: next, switches }),
    )
    if (tokens === 0 || tokens > asking) return []
    const when = thinking === undefined ? '' : ' without thinking'
    return [`a prompt${when} ends with ${tokens} ${tokens === 1 ? 'token' : 'tokens'} that the next turn does not keep`]
  })
}

function fittingNotes({ traits }: PromptTokenizer): string[] {
  const notes: readonly (readonly [holds: boolean, note: string])[] = [
    [traits.system === 'nowhere', 'instructions are said in the first turn of the user'],
    [traits.system === 'first', 'instructions behind the first turn are said by the user'],
    [traits.alternates, 'turns of one role in a row become one'],
    [traits.answersResults, 'a question right behind results of tools joins the last of them'],
    [
      !traits.toolDefinitions,
      'the template has no place for tools: they stand in the instructions, in the way of Hermes',
    ],
    [traits.toolDefinitions && !traits.toolTurns, 'calls and results of tools stand in turns as text'],
    [traits.singleCalls, 'several calls in a turn become turns of one call'],
    [traits.shortIds, 'ids of calls are shortened to nine characters'],
  ]
  return notes.flatMap(([holds, note]) => (holds ? [note] : []))
}
