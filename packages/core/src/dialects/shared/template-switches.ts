import type { Conversation, ExtraField, Reasoning } from '../../domain/conversation.ts'
import { IncipitError } from '../../domain/errors.ts'
import type { TemplateSwitches } from '../../domain/generation.ts'

/** Characters of `chat_template_kwargs`: every one may end in the prompt. */
const mostChars = 16_384
/** What the engine itself gives a template, or the template language has: no client may set it. */
const taken = new Set(
  (
    'messages tools tool_choice add_generation_prompt bos_token eos_token strftime_now ' +
    'raise_exception range namespace true false none True False None'
  ).split(' '),
)

/**
 * What a conversation sets in the chat template of a local model: how hard to think, whether to think, and the
 * variables in `chat_template_kwargs`. `undefined` where it says nothing, so that templates keep to what they do then.
 *
 * @throws IncipitError `invalid_request` naming the pointer of variables that no client may set
 * @example templateSwitches(dialect.read(prompt))?.thinking // false
 */
export function templateSwitches({ settings, extras }: Conversation): TemplateSwitches | undefined {
  const { reasoning } = settings
  const effort = reasoning?.effort === 'none' ? undefined : reasoning?.effort
  const thinking = reasoning === undefined ? undefined : thinkingOf(reasoning)
  const kwargs = extras.find(({ name }) => name === 'chat_template_kwargs')
  const variables = kwargs === undefined ? undefined : variablesOf(kwargs)
  if (effort === undefined && thinking === undefined && variables === undefined) return undefined
  return { effort, thinking, variables }
}

/** An effort of none is not to think at all; any other one is to think. */
function thinkingOf({ effort, thinking }: Reasoning): boolean | undefined {
  if (thinking !== undefined) return thinking !== 'disabled'
  return effort === undefined ? undefined : effort !== 'none'
}

function variablesOf({ pointer, json }: ExtraField): Readonly<Record<string, unknown>> | undefined {
  if (json.length > mostChars) {
    refuse(pointer, `${json.length} characters, ${mostChars} allowed`)
  }
  const value = JSON.parse(json) as unknown // the body was scanned: this is JSON
  if (value === null) return undefined
  if (typeof value !== 'object' || Array.isArray(value)) return refuse(pointer, 'an object of variables is expected')
  const variables = value as Readonly<Record<string, unknown>>
  for (const name of Object.keys(variables)) {
    if (taken.has(name)) refuse(`${pointer}/${name}`, 'this variable cannot be set')
  }
  return variables
}

function refuse(pointer: string, why: string): never {
  throw new IncipitError('invalid_request', `${pointer}: ${why}`, { param: pointer })
}
