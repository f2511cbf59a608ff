import type { Journal } from './journal.ts'
import { LedgerError } from './ledger-error.ts'
import type { WorkerChannel } from './worker-channel.ts'
import type { ImportCounts, ImportReply } from './worker-messages.ts'
import { ledgerErrorOf } from './store-failure.ts'

/** What an importer is made of. */
export interface ImporterParts {
  readonly journal: Journal
  readonly writer: WorkerChannel
  /** How long rows wait for company before they are imported. */
  readonly delayMs: number
  readonly onCounts: (counts: ImportCounts) => void
  /** An attempt failed, and the one before did not; or one succeeded after others had failed. */
  readonly onState: (failure: LedgerError | undefined) => void
}

/** So many bytes are imported at once, without waiting for more. */
const enoughBytes = 2 ** 20
const firstPauseMs = 50
const longestPauseMs = 5_000

interface Attempt {
  readonly ended: Promise<boolean>
  readonly end: (complete: boolean) => void
}

/**
 * Decides when the thread of the store reads the journals: some time after the first row, at once when there are
 * many or when somebody asks. What fails is tried again after a growing pause; the rows stay where they are.
 */
export class Importer {
  readonly #parts: ImporterParts
  #running = false
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  /** As it was told last. */
  #down = false
  /** Whoever asked since the attempt under way began; the next one is theirs. */
  #next: Attempt | undefined
  #take = false
  #closed = false

  constructor(parts: ImporterParts) {
    this.#parts = parts
  }

  /** The last attempt failed. */
  get failing(): boolean {
    return this.#failures > 0
  }

  /** Rows have been written to the journal. */
  noticed(): void {
    if (this.#running || this.#closed) return
    if (this.#failures === 0 && this.#parts.journal.unimportedBytes >= enoughBytes) void this.#run()
    else this.#timer ??= setTimeout(() => void this.#run(), this.#pauseMs()).unref()
  }

  /**
   * Whether everything that was written before this call, by anybody, is in the store when the promise resolves.
   * With `take`, the journals of other processes are deleted then, and they go on in new ones.
   */
  importAll({ take = false }: { readonly take?: boolean } = {}): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false)
    this.#next ??= newAttempt()
    const { ended } = this.#next
    this.#take ||= take
    if (!this.#running) void this.#run()
    return ended
  }

  /** Nothing is begun any more; what is under way ends by itself. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#next?.end(false)
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#running = true
    const attempt = this.#next
    this.#next = undefined
    const take = this.#take
    this.#take = false
    const failure = await this.#import({ others: attempt !== undefined, take }).catch(ledgerErrorOf)
    this.#failures = failure === undefined ? 0 : this.#failures + 1
    if ((failure !== undefined) !== this.#down) this.#parts.onState(failure)
    this.#down = failure !== undefined
    this.#running = false
    attempt?.end(failure === undefined)
    if (this.#closed) return
    if (this.#next !== undefined) void this.#run()
    else if (this.#parts.journal.unimportedBytes > 0) this.noticed()
  }

  async #import(whose: { others: boolean; take: boolean }): Promise<LedgerError | undefined> {
    const { journal, writer, onCounts } = this.#parts
    let reply: ImportReply
    do {
      // oxlint-disable-next-line no-await-in-loop -- one request after the other, each a bounded part
      const answer = await writer.send({ kind: 'import', journals: journal.unimported(), ...whose })
      if (answer.kind !== 'imported') return ledgerErrorOf(answer)
      reply = answer
      if (reply.failure === undefined) this.#failures = 0
      journal.imported(reply.states)
      onCounts(reply)
    } while (reply.more)
    return reply.failure === undefined ? undefined : ledgerErrorOf({ kind: 'failed', id: 0, ...reply.failure })
  }

  #pauseMs(): number {
    if (this.#failures === 0) return this.#parts.delayMs
    return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#failures - 1, 10))
  }
}

function newAttempt(): Attempt {
  let end: (complete: boolean) => void = () => undefined
  const ended = new Promise<boolean>((resolve) => (end = resolve))
  return { ended, end }
}
