// Sends what Codex sends in two steps of one session and shows that it is answered, and warm the second time.
// INCIPIT_MODEL=gpt-5.6-sol asks an upstream instead of the demo model.
const url = process.env.INCIPIT_URL ?? 'http://127.0.0.1:4141'
const model = process.env.INCIPIT_MODEL ?? 'demo'
const session = crypto.randomUUID()
const headers = {
  'content-type': 'application/json',
  accept: 'text/event-stream',
  authorization: `Bearer ${process.env.INCIPIT_KEY ?? 'unused'}`,
  originator: 'codex_cli_rs',
  'user-agent': 'codex_cli_rs/0.162.1',
  'session-id': session,
}
// The session begins the prompt here only so that every run is cold; the real opening is the same for all sessions.
const instructions = `Session ${session}. ${'You work in the terminal of the user, on the files of one project. '.repeat(120)}`
const tools = [
  {
    type: 'function',
    name: 'exec_command',
    description: 'Runs a command.',
    strict: false,
    parameters: {
      type: 'object',
      properties: { cmd: { type: 'string' } },
      required: ['cmd'],
      additionalProperties: false,
    },
  },
]
const opening = [
  message('developer', 'The sandbox allows reading.'),
  message('user', '<cwd>/work/project</cwd>'),
  message('user', 'Which files are here?'),
]

try {
  await step('first step ', opening)
  // The whole history goes again with every step: nothing is stored anywhere.
  const cached = await step('second step', [
    ...opening,
    { type: 'function_call', name: 'exec_command', arguments: '{"cmd":"ls -a"}', call_id: 'call_01' },
    { type: 'function_call_output', call_id: 'call_01', output: 'README.md\npackage.json' },
  ])
  if (!(cached > 0)) throw new Error('the second step read nothing from a cache')
} catch (error) {
  const unreachable = error.cause?.code === 'ECONNREFUSED'
  console.error(unreachable ? `no answer from ${url}: is the gateway running? (npm start)` : error.message)
  process.exitCode = 1
}

async function step(label, input) {
  const body = {
    model,
    instructions,
    input,
    tools,
    tool_choice: 'auto',
    parallel_tool_calls: false,
    reasoning: { effort: 'medium', summary: 'auto' },
    store: false,
    stream: true,
    include: ['reasoning.encrypted_content'],
    prompt_cache_key: session,
    client_metadata: { 'x-codex-installation-id': session },
    max_output_tokens: 16, // Codex sets no limit; the demo model would write thousands of tokens
  }
  const answer = await fetch(`${url}/v1/responses`, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${label}: ${answer.status} ${text}`)
  const events = text.split('\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6))] : []))
  const last = events.find(({ type }) => type === 'response.completed' || type === 'response.incomplete')
  if (last === undefined) throw new Error(`${label}: the stream did not end`)
  const { input_tokens: tokens, input_tokens_details: details } = last.response.usage
  console.log(`${label} ${tokens} tokens, ${details.cached_tokens} cached (${answer.headers.get('x-incipit-route')})`)
  return details.cached_tokens
}

function message(role, text) {
  return { type: 'message', role, content: [{ type: 'input_text', text }] }
}
