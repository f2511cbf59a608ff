import type { Context, Model } from '../../native/contract.ts'
import type { CheckpointFiles } from './checkpoint-files.ts'
import { checkpointKeys } from './checkpoint-keys.ts'
import { turnEnds } from './turn-ends.ts'

export interface CheckpointOptions {
  readonly context: Context
  readonly model: Pick<Model, 'endsGeneration' | 'controlTokens'>
  readonly modelHash: string
  readonly capacityBytes: number
  /** Keeps checkpoints beyond RAM and restarts; `undefined` = nothing does. */
  readonly files?: CheckpointFiles | undefined
}

/** State behind a prefix. */
export interface Checkpoint {
  readonly key: string
  readonly scope: string
  readonly tokens: Int32Array
  readonly state: Uint8Array
}

/** Tokens whose state a sequence holds. */
interface HeldState {
  readonly scope: string
  readonly tokens: Int32Array
  readonly sequence: number
}

/** A saved prefix of some tokens. */
export interface FoundCheckpoint {
  readonly key: string
  readonly length: number
}

/**
 * Whole states of sequences, saved behind some of their tokens: for models whose state is one sum of all that came
 * before, which can be gone on with and never be cut. The least recently used one goes first.
 */
export class CheckpointStore {
  readonly capacityBytes: number
  readonly files: CheckpointFiles | undefined
  readonly #options: CheckpointOptions
  readonly #entries = new Map<string, Checkpoint>()
  #bytes = 0

  constructor(options: CheckpointOptions) {
    this.#options = options
    this.capacityBytes = options.capacityBytes
    this.files = options.files
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Where the state of a prompt is to be saved, ascending. */
  stops(tokens: Int32Array, least: number): readonly number[] {
    return this.capacityBytes === 0 ? [] : turnEnds(tokens, this.#options.model, least)
  }

  /** The longest saved prefix of at most `limit` tokens. Changes nothing. */
  find(scope: string, tokens: Int32Array, limit: number): FoundCheckpoint | undefined {
    const lengths = this.#lengths(scope, Math.min(limit, tokens.length))
    const keys = this.#keys(scope, tokens, lengths)
    for (let index = keys.length - 1; index >= 0; index--) {
      const [key, length] = [keys[index] as string, lengths[index] as number]
      const entry = this.#entries.get(key)
      const held = entry === undefined ? this.files?.has(key) === true : isPrefix(entry.tokens, tokens)
      if (held) return { key, length }
    }
    return undefined
  }

  /**
   * Puts a saved state into an empty sequence, and marks it as used.
   * @returns the tier it came from; `undefined` where it went or is damaged: the sequence is empty then
   */
  restore(found: FoundCheckpoint, tokens: Int32Array, sequence: number): 'ram' | 'disk' | undefined {
    const inRam = this.#entries.get(found.key)
    const entry = inRam ?? this.files?.read(found.key, tokens.subarray(0, found.length))
    if (entry === undefined) return undefined
    const { context } = this.#options
    const { last } = context.writeState(sequence, entry.state) ? context.sequenceRange(sequence) : { last: -1 }
    if (last !== found.length - 1) {
      context.removeSequence(sequence, 0, -1)
      this.#drop(found.key)
      return undefined
    }
    if (isAside(found)) this.#drop(found.key)
    else if (inRam === undefined) this.#add(entry)
    else this.#use(inRam)
    if (!isAside(found)) this.files?.touch(found.key)
    return inRam === undefined ? 'disk' : 'ram'
  }

  /**
   * Keeps the state of a request that goes on later, for it alone: its last tokens were evaluated one by one. When it
   * has to give way, as all others may, they are evaluated together instead.
   */
  putAside(id: string, held: HeldState, count: number): void {
    const key = asideKey(id)
    const checkpoint = this.#read(key, held, count)
    if (checkpoint !== undefined) this.#add(checkpoint)
  }

  findAside(id: string): FoundCheckpoint | undefined {
    const key = asideKey(id)
    const entry = this.#entries.get(key)
    return entry && { key, length: entry.tokens.length }
  }

  /** Saves the state of a sequence that has evaluated exactly the first `count` tokens. */
  save(held: HeldState, count: number): void {
    if (count === 0) return
    const key = this.#keys(held.scope, held.tokens, [count])[0] as string
    const known = this.#entries.get(key)
    if (known !== undefined) return this.#use(known)
    const checkpoint = this.#read(key, held, count)
    if (checkpoint === undefined) return
    this.#add(checkpoint)
    this.files?.writeLater(checkpoint)
  }

  /** Drops what belongs to scopes that begin with `scopePrefix`, in RAM and on disk. */
  reset(scopePrefix: string): { readonly tokens: number; readonly diskTokens: number; readonly bytes: number } {
    const dropped = [...this.#entries.values()].filter(({ scope }) => scope.startsWith(scopePrefix))
    const before = this.#bytes
    for (const { key } of dropped) this.#drop(key)
    const onDisk = this.files?.reset(scopePrefix) ?? { tokens: 0, bytes: 0 }
    return {
      tokens: dropped.reduce((sum, { tokens }) => sum + tokens.length, 0),
      diskTokens: onDisk.tokens,
      bytes: before - this.#bytes + onDisk.bytes,
    }
  }

  #read(key: string, { scope, tokens: all, sequence }: HeldState, count: number): Checkpoint | undefined {
    const { context } = this.#options
    if (context.sequenceRange(sequence).last !== count - 1) return undefined
    const tokens = all.slice(0, count)
    const bytes = context.stateBytes(sequence)
    if (bytes + tokens.byteLength > this.capacityBytes) return undefined
    const state = new Uint8Array(bytes)
    context.readState(sequence, state)
    return { key, scope, tokens, state }
  }

  #lengths(scope: string, limit: number): readonly number[] {
    const lengths = new Set(this.files?.lengths(scope))
    for (const entry of this.#entries.values()) if (entry.scope === scope) lengths.add(entry.tokens.length)
    return [...lengths].filter((length) => length <= limit).sort((left, right) => left - right)
  }

  #keys(scope: string, tokens: Int32Array, lengths: readonly number[]): readonly string[] {
    const { modelHash, context } = this.#options
    return checkpointKeys({ modelHash, stateFormat: context.stateFormat, scope }, tokens, lengths)
  }

  #add(entry: Checkpoint): void {
    this.#entries.set(entry.key, entry)
    this.#bytes += sizeOf(entry)
    for (const { key } of this.#entries.values()) {
      if (this.#bytes <= this.capacityBytes) break
      this.#drop(key)
    }
  }

  /** Side effect: what has not reached the disk, since others were before it, is written now. */
  #use(entry: Checkpoint): void {
    this.#entries.delete(entry.key)
    this.#entries.set(entry.key, entry)
    this.files?.writeLater(entry)
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined || !this.#entries.delete(key)) return
    this.#bytes -= sizeOf(entry)
  }
}

/** Hashes never look like this. */
function asideKey(id: string): string {
  return `aside ${id}`
}

function isAside({ key }: FoundCheckpoint): boolean {
  return key.startsWith('aside ')
}

function sizeOf({ tokens, state }: Checkpoint): number {
  return tokens.byteLength + state.length
}

function isPrefix(prefix: Int32Array, tokens: Int32Array): boolean {
  return prefix.length <= tokens.length && prefix.every((token, index) => tokens[index] === token)
}
