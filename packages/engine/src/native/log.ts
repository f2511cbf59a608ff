import koffi from 'koffi'
import type { LlamaFunctions } from './bindings.ts'

const levels = { warning: 3, error: 4, continued: 5 } as const
const maxLines = 20

/** Keeps what llama.cpp complains about, instead of its printing everything to stderr. */
export class NativeLog {
  #lines: string[] = []
  #keeping = false

  /** Takes over the log of the library, which has one for the whole process. */
  static attach(llama: LlamaFunctions): NativeLog {
    const log = new NativeLog()
    const type = koffi.proto('void', ['int32', 'str', 'void *'])
    const callback = koffi.register(
      (level: number, text: string | null) => log.#add(level, text ?? ''),
      koffi.pointer(type),
    )
    llama.llama_log_set(callback, null)
    return log
  }

  /** The complaints since the last call, oldest first, as one line; empty when there were none. */
  take(): string {
    const text = this.#lines.map((line) => line.trim()).join('; ')
    this.#lines = []
    return text
  }

  /** `message`, with the complaints since the last `take` behind it. */
  explain(message: string): string {
    const complaints = this.take()
    return complaints === '' ? message : `${message}: ${complaints}`
  }

  #add(level: number, text: string): void {
    if (level !== levels.continued) this.#keeping = level === levels.warning || level === levels.error
    if (!this.#keeping) return
    if (level === levels.continued && this.#lines.length > 0) this.#lines.push(`${this.#lines.pop() ?? ''}${text}`)
    else this.#lines.push(text)
    if (this.#lines.length > maxLines) this.#lines.shift()
  }
}
