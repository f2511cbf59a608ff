/** How often a process is asked whether it still runs, until it counts as hung. */
const asks = 24

/** Milliseconds without any sign of life after which the engine process is ended, where nothing else is configured. */
export const defaultHangMs = 120_000

/** A process as its watchdog sees it. */
export interface Watched {
  /** Asks for a sign of life; the process answers as soon as it can. */
  readonly ask: () => void
  /** Called once, when it has given none for too long. */
  readonly hung: () => void
}

/**
 * Notices a process that does not answer any more: stopped, or caught in native code. Only time in which this
 * process runs itself counts: after a suspend both sides go on as if nothing had been.
 *
 * @example
 * const dog = new Watchdog({ ask: () => child.send({ kind: 'ping' }), hung: () => child.kill('SIGKILL') }, 120_000)
 * dog.start(); child.on('message', () => dog.heard()); child.on('exit', () => dog.stop())
 */
export class Watchdog {
  readonly #watched: Watched
  readonly #everyMs: number
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined
  #tickedAt = 0
  #silent = 0
  #heard = true

  constructor(watched: Watched, hangMs: number, now: () => number = () => performance.now()) {
    this.#watched = watched
    this.#everyMs = hangMs / asks
    this.#now = now
  }

  start(): void {
    this.#tickedAt = this.#now()
    this.#timer = setInterval(() => this.tick(), this.#everyMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Anything that the process says is a sign of life. */
  heard(): void {
    this.#heard = true
  }

  /** One look at the process; `start` has it called at intervals. */
  tick(): void {
    const now = this.#now()
    const wasAway = now - this.#tickedAt > 2 * this.#everyMs
    this.#tickedAt = now
    if (this.#heard) this.#silent = 0
    else if (!wasAway) this.#silent++
    this.#heard = false
    if (this.#silent < asks) return this.#watched.ask()
    this.stop()
    this.#watched.hung()
  }
}

/** Milliseconds that a batch may take beyond `hangMs`, for each of its tokens: 70 billion weights on a slow machine. */
const msPerToken = 3_000

/**
 * Longest that a batch may take: the process answers while it is computed, so that a watchdog does not see it hang.
 * @example longestBatchMs(512, 120_000) // 1656000
 */
export function longestBatchMs(tokens: number, hangMs: number): number {
  return hangMs + tokens * msPerToken
}
