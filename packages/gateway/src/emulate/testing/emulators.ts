import { afterEach } from 'vitest'
import type { Emulator, EmulatorStart } from '../start-emulator.ts'
import { startEmulator } from '../start-emulator.ts'

const running: Emulator[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((emulator) => emulator.close()))
})

/** An emulator that ends with its test. */
export async function anEmulator(start: EmulatorStart): Promise<Emulator> {
  const emulator = await startEmulator(start)
  running.push(emulator)
  return emulator
}

/** Text of exactly so many tokens, as the emulators count: another name gives another text. */
export function textOfTokens(tokens: number, name: string = 'text'): string {
  return `${name} `.repeat(Math.ceil((tokens * 4) / (name.length + 1))).slice(0, tokens * 4)
}

/** A picture of one pixel. */
export const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** What came back. */
export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON. */
  readonly json: Readonly<Record<string, unknown>>
}

/** Posts JSON with the headers that every provider here accepts. */
export async function post(
  { url }: Pick<Emulator, 'url'>,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer test',
      'anthropic-version': '2023-06-01',
      'content-type': 'application/json',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await response.text()
  const json = text.startsWith('{') ? (JSON.parse(text) as Answered['json']) : {}
  return { status: response.status, headers: response.headers, text, json }
}
