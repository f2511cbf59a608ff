/**
 * What a file takes on disk: less than its size where nothing was written to parts of it.
 * @example occupiedBytes(statSync('states'))
 */
export function occupiedBytes({ size, blocks }: { readonly size: number; readonly blocks?: number }): number {
  return blocks === undefined ? size : Math.min(size, 512 * blocks)
}
