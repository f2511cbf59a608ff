import type { DialectName } from '@incipit/core'
import * as fc from 'fast-check'
import type { JsonSource } from './json-source.ts'
import { deepValue, oddMembers, oddNumber, oddObject, oddSpaces, oddString, oddText, spell } from './json-source.ts'

/** Stands in everything that is for the gateway alone: bytes of an upstream that hold it are a leak. */
export const gatewayOnly = 'for-the-gateway-only'

/** What a generated body leaves open. */
export interface BodyChoice {
  /** Names of models, of which one is asked for. */
  readonly models: readonly string[]
  /** With the fields that are the gateway's own: labels and an isolation key. */
  readonly labelled: boolean
  /** JSON text that stands for the limit of tokens, in every body, once; not set = there may be one. */
  readonly limit?: string
}

type Generated = Exclude<DialectName, 'gemini'>
type Members = Readonly<Record<string, fc.Arbitrary<JsonSource>>>

/**
 * Bodies that are valid in a dialect and written as nobody would expect: spacing, order, escapes, numbers, names
 * that repeat and names that nobody knows.
 *
 * @example fc.assert(fc.property(bodyOf('openai-chat', { models: ['m'], labelled: false }), (body) => ...))
 */
export function bodyOf(dialect: Generated, choice: BodyChoice): fc.Arbitrary<string> {
  return fc
    .tuple(sources[dialect](choice), oddSpaces, fc.constantFrom('', '', '\n', '  '))
    .map(([source, spaces, before]) => before + spell(source, spaces))
}

const quoted = (...texts: readonly string[]): fc.Arbitrary<string> =>
  fc.constantFrom(...texts.map((text) => JSON.stringify(text)))
const listOf = (item: fc.Arbitrary<JsonSource>, minLength = 0): fc.Arbitrary<JsonSource> =>
  fc.array(item, { minLength, maxLength: 3 })
const flag = fc.constantFrom('true', 'false', 'null')
const constant = (text: string): fc.Arbitrary<string> => fc.constant(text)
const schema = fc.oneof(
  oddMembers({ type: quoted('object'), properties: oddObject }, { required: listOf(oddString), incipit: oddObject }),
  deepValue.map((value) => ({ members: [['"properties"', value]] as const })),
)

const segments = [
  'system_instructions',
  'policy_preamble',
  'knowledge_context',
  'conversation_history',
  'user_message',
] as const

const label = oddMembers({ segment: quoted(...segments), note: quoted(gatewayOnly) })
/** The gateway's own field, where it may stand. */
const labelled = ({ labelled }: BodyChoice): Members => (labelled ? { incipit: label } : {})

const shared = (choice: BodyChoice): Members => ({
  ...(choice.labelled ? { incipit: label, prompt_cache_isolation_key: quoted(`${gatewayOnly}-key`) } : {}),
  stream: flag,
  temperature: constant('1.0'),
  top_p: constant('0.10'),
  seed: constant('1e3'),
  user: quoted('user-1', 'us\u00e9r'),
  metadata: oddMembers({}, { user_id: oddString, big: oddNumber }),
})

const head = ({ models, limit }: BodyChoice, limitName: string): Members => ({
  model: quoted(...models),
  ...(limit === undefined ? {} : { [limitName]: constant(limit) }),
})

const openaiMark = { prompt_cache_breakpoint: constant('{"mode":"explicit"}') }
const chatPart = (choice: BodyChoice): fc.Arbitrary<JsonSource> =>
  fc.oneof(
    oddMembers({ type: quoted('text'), text: oddString }, { ...labelled(choice), ...openaiMark }),
    oddMembers(
      { type: quoted('image_url'), image_url: oddMembers({ url: quoted('data:image/png;base64,AA==') }) },
      labelled(choice),
    ),
  )

const chatMessage = (choice: BodyChoice): fc.Arbitrary<JsonSource> =>
  fc.oneof(
    oddMembers(
      { role: quoted('system', 'developer', 'user'), content: fc.oneof(oddString, listOf(chatPart(choice))) },
      { ...labelled(choice), name: oddString },
    ),
    oddMembers(
      {
        role: quoted('assistant'),
        tool_calls: listOf(
          oddMembers({
            id: oddString,
            type: quoted('function'),
            function: oddMembers({ name: oddText, arguments: quoted('{"b" :1.0,"a":"\u00e9"}') }),
          }),
        ),
      },
      { ...labelled(choice), content: fc.oneof(oddString, constant('null')) },
    ),
    oddMembers({ role: quoted('tool'), tool_call_id: oddString, content: oddString }, labelled(choice)),
  )

const chatTool = (choice: BodyChoice): fc.Arbitrary<JsonSource> =>
  oddMembers(
    {
      type: quoted('function'),
      function: oddMembers({ name: oddText, parameters: schema }, { description: oddString, strict: flag }),
    },
    labelled(choice),
  )

const chatBody = (choice: BodyChoice): fc.Arbitrary<JsonSource> =>
  oddMembers(
    { ...head(choice, 'max_tokens'), messages: listOf(chatMessage(choice), 1) },
    {
      ...shared(choice),
      tools: listOf(chatTool(choice)),
      stream_options: fc.oneof(constant('null'), oddMembers({}, { include_usage: flag, include_obfuscation: flag })),
      response_format: oddMembers({
        type: quoted('json_schema'),
        json_schema: oddMembers({ name: oddText, schema }),
      }),
      prompt_cache_key: quoted('key-1'),
    },
  )

const responsesPart = (choice: BodyChoice): fc.Arbitrary<JsonSource> =>
  fc.oneof(
    oddMembers({ type: quoted('input_text'), text: oddString }, { ...labelled(choice), ...openaiMark }),
    oddMembers({ type: quoted('input_image'), image_url: quoted('https://example.com/a.png') }, labelled(choice)),
  )

const responsesItem = (choice: BodyChoice): fc.Arbitrary<JsonSource> =>
  fc.oneof(
    oddMembers(
      { role: quoted('user', 'system', 'developer'), content: fc.oneof(oddString, listOf(responsesPart(choice))) },
      { ...labelled(choice), type: quoted('message') },
    ),
    oddMembers({
      type: quoted('function_call'),
      call_id: oddText,
      name: oddText,
      arguments: quoted('{"b" :1.0,"a":[]}'),
    }),
    oddMembers(
      {
        type: quoted('function_call_output'),
        call_id: oddText,
        output: fc.oneof(oddString, listOf(responsesPart(choice))),
      },
      labelled(choice),
    ),
    oddMembers({ type: quoted('reasoning'), summary: constant('[]') }, { encrypted_content: oddString }),
  )

const responsesBody = (choice: BodyChoice): fc.Arbitrary<JsonSource> =>
  oddMembers(
    { ...head(choice, 'max_output_tokens'), input: fc.oneof(oddString, listOf(responsesItem(choice), 1)) },
    {
      ...shared(choice),
      instructions: oddString,
      tools: listOf(oddMembers({ type: quoted('function'), name: oddText, parameters: schema }, labelled(choice))),
      text: oddMembers({}, { verbosity: quoted('low'), format: oddMembers({ type: quoted('text') }) }),
      reasoning: oddMembers({}, { effort: quoted('high') }),
      prompt_cache_options: oddMembers({}, { ttl: quoted('30m', '12h') }),
      store: flag,
    },
  )

const mark = oddMembers({ type: quoted('ephemeral') }, { ttl: quoted('5m', '1h') })
const marked = (choice: BodyChoice): Members => ({ ...labelled(choice), cache_control: mark })
const textBlock = (choice: BodyChoice): fc.Arbitrary<JsonSource> =>
  oddMembers({ type: quoted('text'), text: fc.oneof(oddString, constant('""')) }, marked(choice))

const messagesBlock = (choice: BodyChoice): fc.Arbitrary<JsonSource> =>
  fc.oneof(
    textBlock(choice),
    oddMembers(
      { type: quoted('tool_result'), tool_use_id: oddText },
      { ...marked(choice), content: fc.oneof(oddString, listOf(textBlock(choice))), is_error: flag },
    ),
    oddMembers({ type: quoted('tool_use'), id: oddText, name: oddText, input: oddObject }, marked(choice)),
    // A mark on a thinking block is refused: it has to move.
    oddMembers({ type: quoted('thinking'), thinking: oddString, signature: oddText }, marked(choice)),
    oddMembers(
      {
        type: quoted('document'),
        source: oddMembers({ type: quoted('content'), content: listOf(textBlock(choice)) }),
      },
      marked(choice),
    ),
  )

/** What Claude Code puts first into its system prompt: another value in each request. */
const billing = fc
  .nat(0xffff)
  .map((value) => `"x-anthropic-billing-header: cc_version=2.1.${value % 9}; cch=${value.toString(16)};"`)

const systemOf = (choice: BodyChoice): fc.Arbitrary<JsonSource> =>
  fc.oneof(
    oddString,
    listOf(textBlock(choice)),
    fc
      .tuple(
        oddMembers({ type: quoted('text'), text: billing }, labelled(choice)),
        fc.array(textBlock(choice), { maxLength: 2 }),
      )
      .map(([first, rest]) => [first, ...rest]),
  )

const messagesBody = (choice: BodyChoice): fc.Arbitrary<JsonSource> =>
  oddMembers(
    {
      ...head(choice, 'max_tokens'),
      messages: listOf(
        oddMembers(
          { role: quoted('user', 'assistant'), content: fc.oneof(oddString, listOf(messagesBlock(choice))) },
          labelled(choice),
        ),
        1,
      ),
    },
    {
      ...shared(choice),
      system: systemOf(choice),
      tools: listOf(oddMembers({ name: oddText, input_schema: schema }, { ...marked(choice), defer_loading: flag })),
      cache_control: mark,
      thinking: oddMembers({ type: quoted('enabled'), budget_tokens: constant('1024') }),
      stop_sequences: constant('[]'),
    },
  )

/** Workers AI names the model in the path: a member of this name is one that nobody knows. */
const workersAiBody = (choice: BodyChoice): fc.Arbitrary<JsonSource> =>
  fc.oneof(
    oddMembers(
      { ...limitOf(choice), messages: listOf(chatMessage(choice), 1) },
      { ...shared(choice), tools: listOf(chatTool(choice)), raw: constant('false') },
    ),
    oddMembers({ ...limitOf(choice), prompt: oddString }, { ...shared(choice), lora: oddString }),
  )

const limitOf = ({ limit }: BodyChoice): Members => (limit === undefined ? {} : { max_tokens: constant(limit) })

const sources: Readonly<Record<Generated, (choice: BodyChoice) => fc.Arbitrary<JsonSource>>> = {
  'openai-chat': chatBody,
  'openai-responses': responsesBody,
  'anthropic-messages': messagesBody,
  'workers-ai': workersAiBody,
}
