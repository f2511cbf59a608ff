import { bench, describe } from 'vitest'
import { scanJson } from './scan-json.ts'
import { wasmTape } from './wasm/wasm-tape.ts'
import { writeTape } from './write-tape.ts'

/** An agent-like body: system text, tool schemas, a history with escapes and some non-ASCII words. */
function agentBody(bytes: number): Uint8Array {
  const paragraph = 'Read the file first, then "edit" it.\nNever guess a path; cafés and naïve words count too. '
  const tool = {
    type: 'function',
    function: {
      name: 'read_file',
      description: paragraph,
      parameters: { type: 'object', properties: { path: { type: 'string' }, from: { type: 'integer' } } },
    },
  }
  const tools = Array.from({ length: Math.ceil(bytes / 5 / 330) }, () => tool)
  const messages: object[] = [{ role: 'system', content: paragraph.repeat(Math.ceil(bytes / 4 / paragraph.length)) }]
  let size = JSON.stringify({ tools, messages }).length
  while (size < bytes) {
    const turn = { role: size % 2 === 0 ? 'user' : 'assistant', content: paragraph.repeat(1 + (size % 7)) }
    messages.push(turn)
    size += JSON.stringify(turn).length + 1
  }
  return new TextEncoder().encode(JSON.stringify({ model: 'demo', stream: true, tools, messages }))
}

const decoder = new TextDecoder()

/** What a request needs: the top-level keys, the elements of messages and tools, their contents. */
function spans(body: Uint8Array): number {
  const document = scanJson(body)
  let total = document.members(0).length
  for (const name of ['messages', 'tools']) {
    const list = document.find(0, name)
    for (const element of list === undefined ? [] : document.elements(list)) {
      total += document.find(element, 'content') ?? document.end(element)
    }
  }
  return total
}

for (const [name, size] of [
  ['1 KB', 1_024],
  ['20 KB', 20_480],
  ['200 KB', 204_800],
  ['2 MB', 2_097_152],
] as const) {
  describe(`${name} of agent JSON`, () => {
    const body = agentBody(size)
    bench('scan and spans', () => {
      spans(body)
    })
    bench('scan in JavaScript', () => {
      writeTape(body, 128)
    })
    bench('scan in WebAssembly', () => {
      wasmTape(body, 128)
    })
    bench('toString + JSON.parse', () => {
      JSON.parse(decoder.decode(body))
    })
  })
}
