import type { CacheBuckets } from '../domain/cached-prompt.ts'
import type { EpochMs } from '../domain/units.ts'
import type { CacheBehaviour, EntryLife } from './cache-behaviour.ts'
import type { CacheTtl } from './cache-rule.ts'

/** The end of one block of a prompt: a place where an entry may lie. */
export interface PrefixEnd {
  /** Of everything up to here. */
  readonly hash: string
  /** Tokens up to here. Asked for only where an entry lies or is to lie. */
  readonly tokens: number
  /** The request asks to store up to here; `life` undefined = the provider's own. */
  readonly mark?: { readonly life: CacheTtl['name'] | undefined } | undefined
  /** A message that ends here may be stored without a word: of a user, or the last of several tool results. */
  readonly ending?: boolean | undefined
  /** The instructions that lead the prompt end here. */
  readonly leading?: boolean | undefined
}

/** A prompt as a cache sees it. */
export interface ProviderQuestion {
  /** Who shares, and what divides a cache: organisation, model, switches, keys. */
  readonly scope: string
  /** The whole prompt. */
  readonly tokens: number
  /** In prompt order. */
  readonly ends: readonly PrefixEnd[]
  /** Of the prefixes of one, two, ... steps; needed where entries lie at steps. */
  readonly stepHashes?: readonly string[] | undefined
  /** `explicit`: nothing is stored without a mark. */
  readonly mode?: 'implicit' | 'explicit' | undefined
  /** Life of entries whose mark names none. */
  readonly life?: CacheTtl['name'] | undefined
  /** When the request began: lives count from there. */
  readonly at: EpochMs
}

/** A prompt that was looked up and not answered yet. */
export interface CacheReading {
  /**
   * The answer begins: refreshes what is read and stores what the request leaves, which nobody could read before.
   * @param held tokens that are there to be read in fact: more of an entry is not read, and an entry of which less
   * than the minimum is there is gone
   */
  settle(held?: number): CacheBuckets
}

interface Entry {
  readonly scope: string
  readonly life: EntryLife
  readonly endsAt: number
  expiresAt: number
}

interface Hit {
  readonly key: string
  readonly entry: Entry
  readonly tokens: number
}

interface Write {
  readonly key: string
  readonly tokens: number
  readonly life: CacheTtl['name']
}

const defaultMaxEntries = 200_000

/**
 * The prefix cache of a provider, as its rules describe it: entries at places of prompts under a scope, with lives.
 * Pure: time comes with each question. Beyond `maxEntries` the entries unused for longest go.
 *
 * @example cache.lookUp(question, cacheBehaviour('anthropic', 'claude-opus-4-5', at)).settle().read
 */
export class ProviderCache {
  /** In order of last use. */
  readonly #entries = new Map<string, Entry>()
  readonly #maxEntries: number

  constructor(maxEntries: number = defaultMaxEntries) {
    this.#maxEntries = maxEntries
  }

  get size(): number {
    return this.#entries.size
  }

  /** Finds what a prompt can read. Changes nothing but that expired entries go; `settle` does the rest. */
  lookUp(question: ProviderQuestion, behaviour: CacheBehaviour): CacheReading {
    switch (behaviour.places) {
      case 'breakpoints':
        return this.#atBreakpoints(question, behaviour)
      case 'endings':
        return this.#atEndings(question, behaviour)
      case 'steps':
        return this.#atSteps(question, behaviour)
      default:
        return behaviour.places satisfies never
    }
  }

  /** Drops the entries of every scope that begins with `scopePrefix`. @returns how many */
  reset(scopePrefix: string): number {
    let dropped = 0
    for (const [key, { scope }] of this.#entries) {
      if (!scope.startsWith(scopePrefix)) continue
      this.#entries.delete(key)
      dropped++
    }
    return dropped
  }

  /** From each mark backwards, the first entry that an earlier request stored. */
  #atBreakpoints(question: ProviderQuestion, behaviour: CacheBehaviour): CacheReading {
    const { ends, at } = question
    const marks = ends.flatMap((end, index) => (end.mark === undefined ? [] : [index]))
    const hits = marks.flatMap((mark) => {
      const window = ends.slice(Math.max(0, mark + 1 - behaviour.lookbackBlocks), mark + 1)
      return this.#hits(question, window.toReversed()).slice(0, 1)
    })
    return {
      settle: (held = Infinity) => {
        const read = this.#use(hits, { at, held, minTokens: behaviour.minTokens })
        const writes = marks
          .map((mark) => writeAt(question, ends[mark] as PrefixEnd, behaviour))
          .filter(({ tokens }) => tokens > read && tokens >= behaviour.minTokens)
        this.#store(writes, question, behaviour)
        return bucketsOf(question.tokens, { read, writes, reported: ['5m', '1h'] })
      },
    }
  }

  /** Every entry at a mark or message end within reach; the furthest is read. */
  #atEndings(question: ProviderQuestion, behaviour: CacheBehaviour): CacheReading {
    const { at, mode } = question
    const { firstMarks, latestMarks, earlierEndings } = behaviour.reach
    const marks = question.ends.filter(({ mark }) => mark !== undefined)
    const implicit = mode === 'explicit' ? [] : endingsOf(question.ends)
    const latest = implicit.slice(-1 - earlierEndings)
    const leading = mode === 'explicit' ? [] : question.ends.filter((end) => end.leading === true).slice(-1)
    const reach = new Set([...marks.slice(0, firstMarks), ...marks.slice(-latestMarks), ...latest, ...leading])
    const hits = this.#hits(
      question,
      question.ends.filter((end) => reach.has(end)),
    )
    const wanted =
      mode === 'explicit'
        ? marks.slice(-behaviour.maxWrites)
        : [...marks.slice(1 - behaviour.maxWrites), ...implicit.slice(-1)]
    return {
      settle: (held = Infinity) => {
        const read = this.#use(hits, { at, held, minTokens: behaviour.minTokens })
        const writes = [...new Set(wanted)]
          .map((end) => writeAt(question, end, behaviour))
          .filter(({ tokens }) => tokens > read && tokens >= behaviour.minTokens)
        this.#store(writes, question, behaviour)
        return bucketsOf(question.tokens, { read, writes, reported: [question.life ?? behaviour.bareLife] })
      },
    }
  }

  /** As many steps as lie one behind the other; what is missing behind them is stored. */
  #atSteps(question: ProviderQuestion, behaviour: CacheBehaviour): CacheReading {
    const { at, scope, stepHashes = [] } = question
    const { stepTokens, minTokens, bareLife } = behaviour
    const steps = stepHashes
      .map((hash, index) => ({ key: keyOf(scope, hash), tokens: (index + 1) * stepTokens }))
      .filter(({ tokens }) => tokens >= minTokens && tokens < question.tokens)
    return {
      settle: (held = Infinity) => {
        const hits: Hit[] = []
        for (const { key, tokens } of steps) {
          const entry = tokens > held ? undefined : this.#find(key, at)
          if (entry === undefined) break
          hits.push({ key, entry, tokens })
        }
        // The furthest first: entries that lie further on are the first to go, where there are too many.
        const read = this.#use(hits.toReversed(), { at, held, minTokens })
        for (const { key, tokens } of steps) if (tokens > held) this.#entries.delete(key)
        const missing = steps.filter(({ key }) => this.#find(key, at) === undefined)
        const life = question.life ?? bareLife
        this.#store(
          missing.toReversed().map((step) => ({ ...step, life })),
          question,
          behaviour,
        )
        return { fresh: question.tokens - read, read }
      },
    }
  }

  #hits({ scope, at }: ProviderQuestion, ends: readonly PrefixEnd[]): Hit[] {
    return ends.flatMap((end) => {
      const key = keyOf(scope, end.hash)
      const entry = this.#find(key, at)
      return entry === undefined ? [] : [{ key, entry, tokens: end.tokens }]
    })
  }

  #find(key: string, at: number): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.expiresAt > at) return entry
    this.#entries.delete(key)
    return undefined
  }

  /** Begins the lives of entries anew. @returns the tokens read */
  #use(
    hits: readonly Hit[],
    there: { readonly at: number; readonly held: number; readonly minTokens: number },
  ): number {
    let read = 0
    for (const { key, entry, tokens } of hits) {
      const isThere = Math.min(tokens, there.held) >= there.minTokens
      if (isThere) read = Math.max(read, Math.min(tokens, there.held))
      // Dropped since it was found: it is read, and stays dropped.
      if (this.#entries.get(key) !== entry) continue
      this.#entries.delete(key)
      if (!isThere) continue
      entry.expiresAt = Math.max(entry.expiresAt, Math.min(there.at + entry.life.idleMs, entry.endsAt))
      this.#entries.set(key, entry)
    }
    return read
  }

  #store(writes: readonly Write[], { scope, at }: ProviderQuestion, { lives }: CacheBehaviour): void {
    for (const { key, life: name } of writes) {
      const life = lives[name]
      const endsAt = at + life.mostMs
      this.#entries.delete(key)
      this.#entries.set(key, { scope, life, endsAt, expiresAt: Math.min(at + life.idleMs, endsAt) })
      const oldest = this.#entries.keys().next()
      if (this.#entries.size > this.#maxEntries && oldest.done !== true) this.#entries.delete(oldest.value)
    }
  }
}

/** The length keeps a scope and a hash from being taken for another scope and hash. */
function keyOf(scope: string, hash: string): string {
  return `${scope.length}:${scope}${hash}`
}

function endingsOf(ends: readonly PrefixEnd[]): PrefixEnd[] {
  // Of the instructions that lead, only the end of the last one counts.
  const lastLeading = ends.findLastIndex(({ leading }) => leading === true)
  return ends.filter(({ ending, leading }, index) => ending === true || (leading === true && index === lastLeading))
}

function writeAt(question: ProviderQuestion, end: PrefixEnd, { bareLife }: CacheBehaviour): Write {
  const life = end.mark?.life ?? question.life ?? bareLife
  return { key: keyOf(question.scope, end.hash), tokens: end.tokens, life }
}

type WriteBucket = 'write5m' | 'write30m' | 'write1h' | 'write12h'

/** Lives that no provider bills stand with the shortest. */
const bucketOfLife: Readonly<Record<CacheTtl['name'], WriteBucket>> = {
  '5m': 'write5m',
  in_memory: 'write5m',
  '30m': 'write30m',
  '1h': 'write1h',
  '12h': 'write12h',
  '24h': 'write12h',
}

/** Each stretch between two places counts with the life of the later one. */
function bucketsOf(
  total: number,
  counted: {
    readonly read: number
    readonly writes: readonly Write[]
    /** Written counts that are reported even where they are 0. */
    readonly reported: readonly CacheTtl['name'][]
  },
): CacheBuckets {
  const { read, writes, reported } = counted
  const written: Partial<Record<WriteBucket, number>> = Object.fromEntries(
    reported.map((life) => [bucketOfLife[life], 0]),
  )
  let at = read
  for (const { tokens, life } of writes.toSorted((a, b) => a.tokens - b.tokens)) {
    const bucket = bucketOfLife[life]
    written[bucket] = (written[bucket] ?? 0) + Math.max(0, tokens - at)
    at = Math.max(at, tokens)
  }
  return { fresh: total - at, read, ...written }
}
