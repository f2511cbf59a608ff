import type { ToldTokens } from './books.ts'
import type { Kind, SoakRequest } from './requests.ts'
import { kinds } from './requests.ts'
import type { Outcome } from './send.ts'

type Counts = Record<Outcome['kind'], number>

/** What became of all requests so far. */
export class Tally {
  readonly wrong: string[] = []
  readonly #counts = new Map<Kind, Counts>()
  readonly #told = new Map<string, ToldTokens>()
  #requests = 0

  get requests(): number {
    return this.#requests
  }

  /** Per model. */
  get told(): ReadonlyMap<string, ToldTokens> {
    return this.#told
  }

  add(request: SoakRequest, model: string, outcome: Outcome): void {
    this.#requests++
    const counts = this.#counts.get(request.kind) ?? { answered: 0, refused: 0, left: 0, wrong: 0 }
    counts[outcome.kind]++
    this.#counts.set(request.kind, counts)
    if (outcome.kind === 'wrong') this.wrong.push(`${request.kind} ${request.path} of ${model}: ${outcome.why}`)
    const told = this.#told.get(model) ?? { prompt: 0, cached: 0, left: 0 }
    const tokens = 'tokens' in outcome ? outcome.tokens : undefined
    this.#told.set(model, {
      prompt: told.prompt + (tokens?.prompt ?? 0),
      cached: told.cached + (tokens?.cached ?? 0),
      left: told.left + (outcome.kind === 'left' ? 1 : 0),
    })
  }

  outcomes(): Readonly<Record<string, Counts>> {
    return Object.fromEntries(this.#counts)
  }

  /** A row for each kind: sent, answered, refused, left, wrong. */
  rows(): (string | number)[][] {
    const names = Object.keys(kinds) as Kind[] // the keys of this very object
    return names.map((kind) => {
      const { answered, refused, left, wrong } = this.#counts.get(kind) ?? {
        answered: 0,
        refused: 0,
        left: 0,
        wrong: 0,
      }
      return [kind, answered + refused + left + wrong, answered, refused, left, wrong]
    })
  }
}
