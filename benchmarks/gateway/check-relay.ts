import type { AgentBody } from './agent-body.ts'
import { agentBody } from './agent-body.ts'
import type { Target } from './client-connection.ts'
import { ClientConnection } from './client-connection.ts'
import { directly } from './gateways.ts'
import { jsonAnswer, sseAnswer } from './mock-answers.ts'
import type { MockUpstream } from './mock-upstream.ts'
import { nextRequestNumber } from './next-request-number.ts'

/** What became of one request and its answer on their way. */
export interface RelayCheck {
  readonly gateway: string
  readonly answer: 'json' | 'sse'
  readonly request: Passage
  readonly answered: Passage
}

/** Bytes at one end and at the other. */
export interface Passage {
  readonly identical: boolean
  readonly bytesBefore: number
  readonly bytesAfter: number
}

const patienceMs = 30_000

/**
 * Sends one request of each kind, before anything is measured: a gateway that loses events must not win.
 * Side effect: changes what the mock answers.
 * @throws Error when the gateway refuses, breaks, or does not answer, or usage or end are lost on the way
 * @example await checkRelay(gateway.target, mock)
 */
export async function checkRelay(target: Target, mock: MockUpstream): Promise<RelayCheck[]> {
  const checks: RelayCheck[] = []
  for (const answer of ['json', 'sse'] as const) {
    mock.answer = answer === 'json' ? jsonAnswer : sseAnswer
    const body = agentBody({ bytes: 20 * 1024, stream: answer === 'sse', seed: 2 })
    const number = nextRequestNumber()
    const expected = await exchange(directly(mock.url).target, mock, body, number)
    const seen = await exchange(target, mock, body, number)
    if (!/"usage":\s*\{/.test(seen.answer.toString()))
      throw new Error(`${target.name}: the ${answer} answer came without its usage`)
    if (answer === 'sse' && !seen.answer.includes('[DONE]')) throw new Error(`${target.name}: the stream has no end`)
    const [request, answered] = [compare(expected.request, seen.request), compare(expected.answer, seen.answer)]
    checks.push({ gateway: target.name, answer, request, answered })
  }
  return checks
}

interface Exchanged {
  readonly request: Buffer
  readonly answer: Buffer
}

async function exchange(target: Target, mock: MockUpstream, body: AgentBody, number: number): Promise<Exchanged> {
  const request: Buffer[] = []
  const answer: Buffer[] = []
  mock.received = request
  const { promise, resolve, reject } = deferred()
  const timer = setTimeout(() => reject(new Error(`${target.name}: no answer in ${patienceMs} ms`)), patienceMs)
  let connection: ClientConnection | undefined
  try {
    const opening = ClientConnection.open(target, body, { answered: resolve, failed: reject })
    connection = await Promise.race([opening, promise.then(() => opening)])
    connection.received = answer
    connection.send(number)
    await promise
    return { request: Buffer.concat(request), answer: Buffer.concat(answer) }
  } finally {
    clearTimeout(timer)
    connection?.close()
    mock.received = undefined
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve: () => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

function compare(before: Buffer, after: Buffer): Passage {
  return { identical: before.equals(after), bytesBefore: before.length, bytesAfter: after.length }
}
