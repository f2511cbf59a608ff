/** Values remembered for one secret at most; then it begins anew. */
const mostRemembered = 20_000

/**
 * Remembers what was made of a name under a secret: keyed hashes cost more than the rest of finding out who
 * asks, and the same few come again and again.
 *
 * @example const scopes = new KeyedMemo<IsolationScope>(); scopes.of(secret, name, () => IsolationScope.of(...))
 */
export class KeyedMemo<Value> {
  readonly #bySecret = new WeakMap<Uint8Array, Map<string, Value>>()

  of(secret: Uint8Array, name: string, make: () => Value): Value {
    let values = this.#bySecret.get(secret)
    if (values === undefined) {
      values = new Map()
      this.#bySecret.set(secret, values)
    }
    const known = values.get(name)
    if (known !== undefined) return known
    const made = make()
    if (values.size >= mostRemembered) values.clear()
    values.set(name, made)
    return made
  }
}
