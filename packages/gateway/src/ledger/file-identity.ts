import { statSync } from 'node:fs'
import { SqlError } from './sql-error.ts'

/**
 * Which file stands behind a name. Whoever has it open writes into it also when somebody has deleted it or put another
 * one in its place, and all of that is lost with the last who closes it: nothing fails before.
 *
 * @example const file = new FileIdentity('incipit.db'); file.check()
 */
export class FileIdentity {
  readonly #file: string
  readonly #identity: string | undefined

  /** Side effect: looks at the file, which is open by now. */
  constructor(file: string) {
    this.#file = file
    this.#identity = identityOf(file)
  }

  /** @throws SqlError `gone` when the name does not lead to the same file any more */
  check(): void {
    if (this.#identity === undefined || identityOf(this.#file) === this.#identity) return
    throw new SqlError('gone', `${this.#file} was deleted or replaced while it was in use; start the gateway again`)
  }
}

function identityOf(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? undefined : `${found.dev} ${found.ino}`
}
