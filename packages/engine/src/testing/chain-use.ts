import type { ChainUse } from '@incipit/core'

/** A request that has ended, of these full blocks of 64 tokens. */
export function aUse(blocks: readonly string[], turnOver?: boolean): ChainUse<string> {
  return { blocks, end: (index) => (index + 1) * 64, open: false, turnOver }
}
