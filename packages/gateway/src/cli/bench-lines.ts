import type { TierReport } from '@incipit/engine/bench'
import { formatByteSize } from '../config/byte-size.ts'

/** What was measured, in lines for people. */
export function aboutLines({ model, machine, library, threads, flashAttention }: TierReport): string[] {
  const size = `${(model.parameters / 1e6).toFixed(model.parameters < 1e7 ? 1 : 0)} M parameters, ${formatByteSize(model.fileBytes)}`
  const flash = flashAttention ? ', flash attention' : ''
  return [
    `${model.name}: ${size}${model.synthetic ? ', random weights: real work, meaningless text' : ''}`,
    `${machine.cpu}, ${machine.cores} cores, ${formatByteSize(machine.memoryBytes)}, ${machine.platform}, Node ${machine.node.slice(1)}`,
    `llama.cpp ${library.version}, ${threads.prefill} ${threads.prefill === 1 ? 'thread' : 'threads'}${flash}`,
  ]
}

/** @example milliseconds(8.26) // '8.3' */
export function milliseconds(ms: number): string {
  return ms.toLocaleString('en', { maximumFractionDigits: ms < 100 ? 1 : 0 })
}
