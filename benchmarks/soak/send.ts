import type { SoakRequest } from './requests.ts'

/** What became of a request. */
export type Outcome =
  | { readonly kind: 'answered'; readonly text: string; readonly tokens: PromptTokens | undefined }
  | { readonly kind: 'refused' }
  /** The client went; with the tokens where the answer had begun. */
  | { readonly kind: 'left'; readonly tokens: PromptTokens | undefined }
  | { readonly kind: 'wrong'; readonly why: string }

/** Of the prompt, as the headers of the answer have it. */
export interface PromptTokens {
  readonly prompt: number
  readonly cached: number
}

/** Sends a request and reads the answer to its end, or leaves. */
export async function send(url: string, request: SoakRequest): Promise<Outcome> {
  const leave = new AbortController()
  const timer = request.leavesAfterMs === undefined ? undefined : setTimeout(() => leave.abort(), request.leavesAfterMs)
  let tokens: PromptTokens | undefined
  try {
    const { path, headers, body } = request
    const answer = await fetch(url + path, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      signal: leave.signal,
    })
    tokens = promptTokensOf(answer.headers)
    return judge(request, answer.status, await answer.text(), tokens)
  } catch (error) {
    if (leave.signal.aborted) return { kind: 'left', tokens }
    return { kind: 'wrong', why: error instanceof Error ? `${error.message} ${String(error.cause)}` : String(error) }
  } finally {
    clearTimeout(timer)
  }
}

function promptTokensOf(headers: Headers): PromptTokens | undefined {
  const [prompt, cached] = [headers.get('x-incipit-prompt-tokens'), headers.get('x-incipit-cached-tokens')]
  return prompt === null || cached === null ? undefined : { prompt: Number(prompt), cached: Number(cached) }
}

function judge(request: SoakRequest, status: number, text: string, tokens: PromptTokens | undefined): Outcome {
  const { expect } = request
  const wrong = (why: string): Outcome => ({ kind: 'wrong', why: `${why}: ${status} ${text.slice(0, 400)}` })
  if (expect.kind === 'refusal') {
    const named = status === expect.status && text.includes(expect.code)
    return named ? { kind: 'refused' } : wrong(`a refusal as ${expect.status} ${expect.code} was expected`)
  }
  if (status !== 200) return wrong('an answer was expected')
  if (expect.kind === 'vectors') {
    const { data } = JSON.parse(text) as { data?: readonly { embedding: readonly number[] }[] } // checked right here
    const whole = data?.length === expect.count && data.every(({ embedding }) => embedding.every(Number.isFinite))
    return whole ? { kind: 'answered', text: '', tokens: undefined } : wrong(`${expect.count} vectors were expected`)
  }
  if (request.stream && !endOf[request.path]?.test(text)) return wrong('the stream has no end')
  const said = request.stream ? streamedParts(text) : wholeParts(text)
  if (expect.kind === 'json' && !keepsToSchema(said.text)) return wrong(`JSON was expected, got ${said.text}`)
  if (expect.kind === 'call' && !keepsToSchema(said.call)) return wrong(`a call was expected, got ${said.call}`)
  return { kind: 'answered', text: said.text, tokens }
}

const endOf: Readonly<Record<string, RegExp>> = {
  '/v1/chat/completions': /\ndata: \[DONE\]\n\n$/,
  '/v1/responses': /"type":"response\.(completed|incomplete)"/,
  '/v1/messages': /"type":"message_stop"/,
}

/** Text and the arguments of calls, of any dialect. */
interface Said {
  readonly text: string
  readonly call: string
}

function wholeParts(body: string): Said {
  const { choices, output, content } = JSON.parse(body) as {
    choices?: readonly {
      message: { content: string | null; tool_calls?: readonly { function: { arguments: string } }[] }
    }[]
    output?: readonly { type: string; arguments?: string; content?: readonly { text: string }[] }[]
    content?: readonly { type: string; text?: string; input?: unknown }[]
  } // one of three dialects; what is missing is checked by what is expected of it
  const message = choices?.[0]?.message
  const text =
    message?.content ??
    output?.flatMap((item) => item.content?.map((part) => part.text) ?? []).join('') ??
    content?.map((block) => block.text ?? '').join('') ??
    ''
  const input = content?.find((block) => block.type === 'tool_use')?.input
  const call =
    message?.tool_calls?.[0]?.function.arguments ??
    output?.find((item) => item.type === 'function_call')?.arguments ??
    (input === undefined ? '' : JSON.stringify(input))
  return { text, call }
}

function streamedParts(body: string): Said {
  let text = ''
  let call = ''
  for (const line of body.split('\n')) {
    if (!line.startsWith('data: {')) continue
    const event = JSON.parse(line.slice(6)) as {
      type?: string
      delta?: string | { type?: string; text?: string; partial_json?: string }
      choices?: readonly {
        delta: { content?: string | null; tool_calls?: readonly { function?: { arguments?: string } }[] }
      }[]
    } // one of three dialects, as above
    const chat = event.choices?.[0]?.delta
    text += chat?.content ?? ''
    call += chat?.tool_calls?.map((one) => one.function?.arguments ?? '').join('') ?? ''
    if (typeof event.delta === 'string') {
      if (event.type === 'response.output_text.delta') text += event.delta
      if (event.type === 'response.function_call_arguments.delta') call += event.delta
    } else if (event.delta !== undefined) {
      text += event.delta.text ?? ''
      call += event.delta.partial_json ?? ''
    }
  }
  return { text, call }
}

function keepsToSchema(json: string): boolean {
  try {
    const { city, exact, ...others } = JSON.parse(json) as { city?: unknown; exact?: unknown } // checked right here
    const known = city === 'Paris' || city === 'Rome'
    return known && typeof exact === 'boolean' && Object.keys(others).length === 0
  } catch {
    return false
  }
}
