import type { AgentBody } from './agent-body.ts'
import type { Answered, Target } from './client-connection.ts'
import { ClientConnection } from './client-connection.ts'
import { nextRequestNumber } from './next-request-number.ts'

/** One run of load. */
export interface LoadOptions {
  readonly target: Target
  readonly body: AgentBody
  readonly connections: number
  readonly warmSeconds: number
  readonly seconds: number
  /** Requests a second, whatever the answers do; without it every connection sends again at once. */
  readonly rate?: number
  /** Called when the measured time begins and ends. */
  readonly onWindow?: (edge: 'begin' | 'end') => void
}

/** What was answered in the measured time; milliseconds. */
export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly totalMs: readonly number[]
  readonly firstByteMs: readonly number[]
}

const longestDrainMs = 60_000

/**
 * Loads a target and waits until its last request is answered.
 *
 * With a rate, a request that finds no free connection waits for one and its time counts from when it was
 * due. Timers of Node are a millisecond coarse; that slip before sending is not counted, for anyone.
 * @throws Error on the first refusal, broken connection, or answer that does not come
 * @example await load({ target, body, connections: 64, warmSeconds: 0.3, seconds: 1 })
 */
export async function load(options: LoadOptions): Promise<LoadResult> {
  return new Load(options).run()
}

class Load {
  readonly #options: LoadOptions
  readonly #connections: ClientConnection[] = []
  readonly #free: ClientConnection[] = []
  readonly #totalMs: number[] = []
  readonly #firstByteMs: number[] = []
  readonly #dueSince: number[] = []
  #inFlight = 0
  #sending = true
  #measuring = false
  #drained: () => void = () => {}
  #fail: (error: Error) => void = () => {}

  constructor(options: LoadOptions) {
    this.#options = options
  }

  async run(): Promise<LoadResult> {
    const failure = new Promise<never>((_, reject) => {
      this.#fail = reject
    })
    // Whoever fails first is thrown below; later failures of the same run add nothing.
    failure.catch(() => {})
    try {
      return await Promise.race([this.#work(), failure])
    } finally {
      this.#sending = false
      for (const connection of this.#connections) connection.close()
    }
  }

  async #work(): Promise<LoadResult> {
    const { target, body, connections, rate, warmSeconds, seconds, onWindow } = this.#options
    const events = {
      answered: (connection: ClientConnection, answer: Answered) => this.#answered(connection, answer),
      failed: (error: Error) => this.#fail(error),
    }
    while (this.#connections.length < connections) {
      this.#connections.push(await ClientConnection.open(target, body, events))
    }
    this.#free.push(...this.#connections)
    if (rate === undefined) for (const connection of this.#free.splice(0)) this.#send(connection)
    else this.#sendAtRate(rate)
    await sleep(warmSeconds * 1000)
    onWindow?.('begin')
    const begun = performance.now()
    this.#measuring = true
    await sleep(seconds * 1000)
    this.#measuring = false
    const ended = performance.now()
    onWindow?.('end')
    const requests = this.#totalMs.length
    await this.#drain()
    return { requests, seconds: (ended - begun) / 1000, totalMs: this.#totalMs, firstByteMs: this.#firstByteMs }
  }

  #send(connection: ClientConnection, since?: number): void {
    this.#inFlight += 1
    connection.send(nextRequestNumber(), since)
  }

  #answered(connection: ClientConnection, answer: Answered): void {
    this.#inFlight -= 1
    if (this.#measuring) {
      this.#totalMs.push(answer.endedAt - answer.sentAt)
      this.#firstByteMs.push(answer.firstByteAt - answer.sentAt)
    }
    if (this.#options.rate !== undefined) {
      const due = this.#dueSince.shift()
      if (due === undefined) this.#free.push(connection)
      else this.#send(connection, due)
    } else if (this.#sending) {
      this.#send(connection)
    }
    if (!this.#sending && this.#inFlight === 0) this.#drained()
  }

  #sendAtRate(rate: number): void {
    const begun = performance.now()
    let due = 0
    const tick = (): void => {
      if (!this.#sending) return
      const now = performance.now()
      for (; begun + (due / rate) * 1000 <= now; due++) {
        // The longest idle one, so that none idles long enough for a gateway to close it.
        const connection = this.#free.shift()
        if (connection === undefined) this.#dueSince.push(now)
        else this.#send(connection)
      }
      setTimeout(tick, begun + (due / rate) * 1000 - now)
    }
    tick()
  }

  /** What was still open is answered, so that it does not weigh on the next run. */
  async #drain(): Promise<void> {
    this.#sending = false
    if (this.#inFlight === 0) return
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve
    })
    const timer = setTimeout(() => {
      const { name } = this.#options.target
      this.#fail(new Error(`${name}: ${this.#inFlight} requests without an answer after ${longestDrainMs} ms`))
    }, longestDrainMs)
    await drained
    clearTimeout(timer)
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
