import { IncipitError } from '@incipit/core'

/** Most parameters that one address can carry: far more than any route knows. */
const mostParameters = 100

/**
 * The parameters of a control route: all of them known, each given once and not empty.
 * @throws IncipitError `invalid_request` naming the first one that is not so
 * @example const query = new ControlQuery(exchange.url.searchParams, ['since', 'until'])
 */
export class ControlQuery {
  readonly #values = new Map<string, string>()

  constructor(parameters: URLSearchParams, known: readonly string[]) {
    if (parameters.size > mostParameters) {
      throw new IncipitError('invalid_request', `there are ${parameters.size} parameters, ${mostParameters} allowed`)
    }
    for (const [name, value] of parameters) {
      const shown = name.slice(0, 60)
      if (!known.includes(name))
        throw badParameter(shown, `there is no parameter ${quoted(name)}; known: ${known.join(', ')}`)
      if (this.#values.has(name)) {
        throw badParameter(shown, `${name} is given ${parameters.getAll(name).length} times, once is allowed`)
      }
      if (value === '') throw badParameter(shown, `${name} is empty; give it a value or leave it out`)
      if (value.includes('\0')) throw badParameter(shown, `${name} holds a NUL character`)
      this.#values.set(name, value)
    }
  }

  find(name: string): string | undefined {
    return this.#values.get(name)
  }

  /** Of the names given, those that have a value, in the order given. */
  given(names: readonly string[]): string[] {
    return names.filter((name) => this.#values.has(name))
  }

  /** A whole number in decimal digits, within bounds. */
  wholeNumber(
    name: string,
    bounds: { readonly least: number; readonly most: number; readonly otherwise: number },
  ): number {
    const text = this.#values.get(name)
    if (text === undefined) return bounds.otherwise
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (value >= bounds.least && value <= bounds.most) return value
    throw badParameter(name, `${name} is ${quoted(text)}, allowed are ${bounds.least} to ${bounds.most}`)
  }

  /** One of a few words. */
  choice<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const text = this.#values.get(name)
    if (text === undefined) return undefined
    const word = words.find((one) => one === text)
    if (word !== undefined) return word
    throw badParameter(name, `${name} is ${quoted(text)}, allowed are ${words.join(', ')}`)
  }
}

/** The refusal of a parameter; the message says what was seen and what is allowed. */
export function badParameter(name: string, message: string): IncipitError {
  return new IncipitError('invalid_request', message, { param: name })
}

/** What was seen, short enough for a message. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)
}
