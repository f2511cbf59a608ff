// Sends what OpenCode sends in two steps of one session and shows that it is answered, and warm the second time.
// INCIPIT_MODEL=gpt-5.6-sol asks an upstream instead of the demo model.
const url = process.env.INCIPIT_URL ?? 'http://127.0.0.1:4141'
const model = process.env.INCIPIT_MODEL ?? 'demo'
const session = `ses_${crypto.randomUUID().replaceAll('-', '')}`
const headers = {
  'content-type': 'application/json',
  authorization: `Bearer ${process.env.INCIPIT_KEY ?? 'unused'}`,
  'user-agent': 'opencode ai-sdk/openai-compatible',
  'x-session-affinity': session,
}
// The session begins the prompt here only so that every run is cold; the real opening is the same for all sessions.
const system = `Session ${session}. ${'You work in the terminal of the user, on the files of one project. '.repeat(120)}`
const tools = ['bash', 'read'].map((name) => ({
  type: 'function',
  function: {
    name,
    description: `The tool ${name}.`,
    parameters: { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] },
  },
}))
const opening = [
  { role: 'system', content: system },
  { role: 'user', content: 'Which files are here?' },
]

try {
  await step('first step ', opening)
  const cached = await step('second step', [
    ...opening,
    {
      role: 'assistant',
      content: '',
      tool_calls: [{ id: 'call_01', type: 'function', function: { name: 'bash', arguments: '{"input":"ls -a"}' } }],
    },
    { role: 'tool', tool_call_id: 'call_01', content: 'README.md\npackage.json' },
  ])
  if (!(cached > 0)) throw new Error('the second step read nothing from a cache')
} catch (error) {
  const unreachable = error.cause?.code === 'ECONNREFUSED'
  console.error(unreachable ? `no answer from ${url}: is the gateway running? (npm start)` : error.message)
  process.exitCode = 1
}

async function step(label, messages) {
  const body = {
    model,
    max_tokens: 16, // OpenCode allows thousands; the demo model would use them
    messages,
    tools,
    tool_choice: 'auto',
    stream: true,
    stream_options: { include_usage: true },
  }
  const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${label}: ${answer.status} ${text}`)
  if (!text.includes('data: [DONE]')) throw new Error(`${label}: the stream did not end`)
  const chunks = text.split('\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6))] : []))
  const { usage } = chunks.findLast((chunk) => chunk.usage !== undefined && chunk.usage !== null)
  const cached = usage.prompt_tokens_details?.cached_tokens
  console.log(`${label} ${usage.prompt_tokens} tokens, ${cached} cached (${answer.headers.get('x-incipit-route')})`)
  return cached
}
