import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'
import { IncipitError } from '@incipit/core'

const maxErrorChars = 300

/** A chat template, compiled once. */
export interface ChatTemplate {
  readonly source: string
  /**
   * The text for these variables, and for nothing else: not for the time, which templates could ask for.
   * @param date what `strftime_now` answers; left out, no date is known
   * @throws IncipitError `invalid_request` when the template refuses them
   */
  render(variables: Readonly<Record<string, unknown>>, date?: string): string
}

/**
 * @throws IncipitError `engine_failed` when the chat template of the file cannot be compiled
 * @example compileTemplate('{{ messages[0].content }}').render({ messages }) // 'Hello'
 */
export function compileTemplate(source: string): ChatTemplate {
  const program = compile(source)
  // Templates that ask whether there is a date have words for when there is none; others print what they get.
  const asks = /strftime_now is (?:not )?defined/.test(source)
  return {
    source,
    render: (variables, date) => {
      const scope = new Environment()
      for (const [name, value] of Object.entries(builtIns)) scope.set(name, value)
      if (date !== undefined || !asks) scope.set('strftime_now', () => date ?? '')
      for (const [name, value] of Object.entries(variables)) scope.set(name, value)
      return run(program, scope)
    },
  }
}

/** What every template may use, under the names that the language has for it. */
const builtIns: Readonly<Record<string, unknown>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  range,
  raise_exception: (message: unknown) => {
    throw new Error(String(message))
  },
}

const mostOfRange = 1_000_000

function range(first: number, second?: number, step: number = 1): number[] {
  const [start, end] = second === undefined ? [0, first] : [first, second]
  const length = step === 0 ? Infinity : Math.max(0, Math.ceil((end - start) / step))
  if (length > mostOfRange) throw new Error(`range has ${length} numbers, ${mostOfRange} allowed`)
  return Array.from({ length }, (_, index) => start + index * step)
}

function compile(source: string): ReturnType<typeof parse> {
  try {
    return parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }))
  } catch (cause) {
    throw new IncipitError('engine_failed', `the model's chat template cannot be compiled: ${reasonOf(cause)}`, {
      cause,
    })
  }
}

function run(program: ReturnType<typeof parse>, scope: Environment): string {
  try {
    return String(new Interpreter(scope).run(program).value)
  } catch (cause) {
    const message = `the model's chat template refuses these messages: ${reasonOf(cause)}`
    throw new IncipitError('invalid_request', message, { param: 'messages', cause })
  }
}

function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, maxErrorChars)
}
