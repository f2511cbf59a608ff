// Sends what Claude Code sends in two turns of one session and shows that it is answered, and warm the second time.
// INCIPIT_MODEL=claude-opus-5 asks an upstream instead of the demo model.
const url = process.env.INCIPIT_URL ?? 'http://127.0.0.1:4141'
const model = process.env.INCIPIT_MODEL ?? 'demo'
const session = crypto.randomUUID()
const headers = {
  'content-type': 'application/json',
  authorization: `Bearer ${process.env.INCIPIT_KEY ?? 'unused'}`,
  'anthropic-version': '2023-06-01',
  'anthropic-beta': 'claude-code-20250219,interleaved-thinking-2025-05-14',
  'user-agent': 'claude-cli/2.1.304 (external, cli)',
  'x-app': 'cli',
  'x-claude-code-session-id': session,
}
const mark = { cache_control: { type: 'ephemeral' } }
// The session begins the prompt here only so that every run is cold; the real opening is the same for all sessions.
const instructions = `Session ${session}. ${'You work in the terminal of the user, on the files of one project. '.repeat(300)}`
const tools = [
  {
    name: 'Bash',
    description: 'Runs a command.',
    input_schema: { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] },
  },
  {
    name: 'Read',
    description: 'Reads a file.',
    input_schema: { type: 'object', properties: { file_path: { type: 'string' } }, required: ['file_path'] },
  },
]
const question = { type: 'text', text: 'Which files are here?' }
const call = { type: 'tool_use', id: 'toolu_01', name: 'Bash', input: { command: 'ls -a' } }
const result = { type: 'tool_result', tool_use_id: 'toolu_01', content: 'README.md\npackage.json', is_error: false }

try {
  await models()
  await turn('first turn ', [{ role: 'user', content: [{ ...question, ...mark }] }])
  const read = await turn('second turn', [
    { role: 'user', content: [question] },
    { role: 'assistant', content: [call] },
    { role: 'user', content: [{ ...result, ...mark }] },
  ])
  if (!(read > 0)) throw new Error('the second turn read nothing from a cache')
} catch (error) {
  const unreachable = error.cause?.code === 'ECONNREFUSED'
  console.error(unreachable ? `no answer from ${url}: is the gateway running? (npm start)` : error.message)
  process.exitCode = 1
}

/** What fills the model picker with CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY. */
async function models() {
  const answer = await fetch(`${url}/v1/models?limit=1000`, { headers })
  if (!answer.ok) throw new Error(`models: ${answer.status} ${await answer.text()}`)
  console.log(`models      ${(await answer.json()).data.length}`)
}

async function turn(label, messages) {
  const body = {
    model,
    max_tokens: 16, // Claude Code allows thousands; the demo model would use them
    stream: true,
    system: [
      // Another value in every request: left out for whatever is not Anthropic, whose API takes it out itself.
      { type: 'text', text: `x-anthropic-billing-header: cc_version=2.1.304; cch=${crypto.randomUUID().slice(0, 5)};` },
      { type: 'text', text: instructions, ...mark },
    ],
    tools,
    messages,
    metadata: { user_id: JSON.stringify({ session_id: session }) },
  }
  const answer = await fetch(`${url}/v1/messages?beta=true`, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${label}: ${answer.status} ${text}`)
  const events = text.split('\n').filter((line) => line.startsWith('data: '))
  const { message } = JSON.parse(events[0].slice(6))
  const ended = events.some((event) => JSON.parse(event.slice(6)).type === 'message_stop')
  if (!ended) throw new Error(`${label}: the stream did not end`)
  // What was not known at the beginning of the stream is said at its end.
  const { usage = {} } = JSON.parse(events.findLast((event) => event.includes('"message_delta"')).slice(6))
  const count = (name) => usage[name] ?? message.usage[name]
  const read = count('cache_read_input_tokens')
  const written = count('cache_creation_input_tokens') ?? 'not reported'
  const counts = `${count('input_tokens')} fresh, ${read} read, ${written} written`
  console.log(`${label} ${counts} (${answer.headers.get('x-incipit-route')})`)
  return read
}
