import { IncipitError } from '@incipit/core'
import type { Context, ModelFacts } from '../native/contract.ts'
import { Pool } from './pool.ts'

/** One vector for each input, of length 1, and how many tokens each input had. */
export interface Embeddings {
  readonly vectors: readonly Float32Array[]
  readonly tokens: readonly number[]
}

export interface EmbedderOptions {
  readonly facts: Pick<ModelFacts, 'width' | 'pooling'>
  /** Makes the context when it is first needed: most models never embed anything. */
  readonly open: (size: { readonly cells: number; readonly sequences: number }) => Context
  /** Tokens of one batch of that context. */
  readonly batchTokens: number
  /** Inputs that can be in one batch. */
  readonly sequences: number
  /** Longest input. */
  readonly maxTokens: number
  /** Jobs that may wait. */
  readonly maxQueued: number
}

interface Job {
  readonly id: string
  readonly inputs: readonly Int32Array[]
  readonly vectors: Float32Array[]
  /** The first input that is not evaluated whole, and what is pooled of it. */
  at: number
  done: number
  pool: Pool
  readonly resolve: (embeddings: Embeddings) => void
  readonly reject: (error: unknown) => void
}

/** Tokens `[start, end)` of an input, in rows from `row` on. */
interface Piece {
  readonly input: Int32Array
  readonly start: number
  readonly end: number
  readonly row: number
}

/**
 * Computes embeddings in a context of its own, one batch per step, job after job. A job begins on an empty buffer and
 * shares its batches with no other, so that equal requests give equal vectors.
 */
export class Embedder {
  readonly #options: EmbedderOptions
  #jobs: Job[] = []
  #context: Context | undefined
  #decodingTokens = 0

  constructor(options: EmbedderOptions) {
    this.#options = options
  }

  /** Jobs that are not done. */
  get pending(): number {
    return this.#jobs.length
  }

  /** Tokens of the batch that is being evaluated now; 0 between two. */
  get decodingTokens(): number {
    return this.#decodingTokens
  }

  /** Whether its context exists: only then it takes memory. */
  get isOpen(): boolean {
    return this.#context !== undefined
  }

  /**
   * Queues inputs, each of at least one token and at most `maxTokens`.
   * @throws IncipitError `overloaded`, `context_overflow`, `unsupported_feature`; or rejects with `engine_failed`
   */
  submit(id: string, inputs: readonly Int32Array[]): Promise<Embeddings> {
    const { facts, maxTokens, maxQueued } = this.#options
    if (facts.pooling === 'rank') {
      throw new IncipitError('unsupported_feature', 'this model ranks documents, and has no embeddings', {
        param: '/model',
      })
    }
    if (this.#jobs.length >= maxQueued) {
      const message = `${this.#jobs.length} requests for embeddings are waiting, ${maxQueued} allowed`
      throw new IncipitError('overloaded', message, { retryAfterSeconds: 1 })
    }
    for (const [index, { length }] of inputs.entries()) {
      if (length >= 1 && length <= maxTokens) continue
      const code = length === 0 ? 'invalid_request' : 'context_overflow'
      const message = `input ${index} is ${length} tokens, 1 to ${maxTokens} allowed`
      throw new IncipitError(code, message, { param: `/input` })
    }
    return new Promise((resolve, reject) => {
      this.#jobs.push({ id, inputs, vectors: [], at: 0, done: 0, pool: new Pool(facts), resolve, reject })
    })
  }

  /** Drops a job that nobody waits for any more; its promise is rejected. */
  cancel(id: string): void {
    for (const job of this.#jobs) {
      if (job.id !== id) continue
      this.#jobs = this.#jobs.filter((other) => other !== job)
      // What it has in the buffer goes with the next step: a batch may be under way.
      job.reject(new IncipitError('client_closed', 'nobody waits for these embeddings'))
    }
  }

  /**
   * Evaluates one batch of the first job. False when there is none.
   * @throws Error when the context is broken
   */
  async step(): Promise<boolean> {
    const job = this.#jobs[0]
    if (job === undefined) return false
    const context = (this.#context ??= this.#open())
    if (job.at === 0 && job.done === 0)
      for (let id = 0; id < this.#options.sequences; id++) context.removeSequence(id, 0, -1)
    const pieces = this.#fill(context, job)
    const rows = pieces.reduce((sum, { start, end }) => sum + end - start, 0)
    this.#decodingTokens = rows
    const outcome = await context.decode(rows)
    this.#decodingTokens = 0
    // Every token had its cell reserved: a full buffer means that the books are wrong.
    if (outcome.kind !== 'done') throw new Error(`embedding ${rows} tokens ended as ${outcome.kind}`)
    // Dropped while its batch was evaluated: the next job clears the buffer.
    if (this.#jobs[0] !== job) return true
    try {
      for (const piece of pieces) this.#take(context, job, piece)
    } catch (error) {
      this.#jobs.shift()
      job.reject(error)
      return true
    }
    if (job.at < job.inputs.length) return true
    this.#jobs.shift()
    job.resolve({ vectors: job.vectors, tokens: job.inputs.map(({ length }) => length) })
    return true
  }

  close(): void {
    for (const { reject } of this.#jobs) reject(new IncipitError('shutting_down', 'the engine is closing'))
    this.#jobs = []
    this.#context?.close()
    this.#context = undefined
  }

  #open(): Context {
    const { maxTokens, batchTokens, sequences } = this.#options
    // Of the inputs in the buffer only the last can have come in several batches.
    return this.#options.open({ cells: maxTokens + batchTokens, sequences })
  }

  #fill({ batch }: Context, job: Job): readonly Piece[] {
    const { sequences } = this.#options
    const pieces: Piece[] = []
    let row = 0
    let start = job.done
    for (let at = job.at; at < job.inputs.length && row < batch.capacity && pieces.length < sequences; at++) {
      const input = job.inputs[at] as Int32Array
      const end = Math.min(input.length, start + batch.capacity - row)
      pieces.push({ input, start, end, row })
      for (let position = start; position < end; position++, row++) {
        batch.tokens[row] = input[position] as number
        batch.positions[row] = position
        batch.sequences[row] = at % sequences
        batch.wantsLogits[row] = 1
      }
      start = 0
    }
    return pieces
  }

  #take(context: Context, job: Job, { input, start, end, row }: Piece): void {
    for (let position = start; position < end; position++) {
      const isLast = position === input.length - 1
      if (job.pool.wants(position, isLast)) job.pool.add(context.embedding(row + position - start))
    }
    job.done = end
    if (end < input.length) return
    context.removeSequence(job.at % this.#options.sequences, 0, -1)
    job.vectors.push(job.pool.finish())
    job.pool = new Pool(this.#options.facts)
    job.at++
    job.done = 0
  }
}
