/** What may follow a model's name without making it another model. */
const variant = /^(?:-\d{8}|-\d{4}-\d{2}-\d{2}|-latest|-preview(?:-[\d-]+)?|[@:].*)?$/

/**
 * A model's name as tables write it: without a vendor path, lower case, dashes for dots (and for the `p` that
 * Fireworks writes between digits).
 *
 * @example plainModelName('accounts/fireworks/models/Kimi-K2p6') // 'kimi-k2-6'
 */
export function plainModelName(model: string): string {
  return model
    .slice(model.lastIndexOf('/') + 1)
    .toLowerCase()
    .replaceAll('.', '-')
    .replaceAll(/(?<=\d)p(?=\d)/g, '-')
}

/**
 * Whether a plain name is that of a table's row, with or without a date; never that of a namesake.
 * @example isModelNamed('claude-opus-4-5-20251101', 'claude-opus-4-5') // true
 */
export function isModelNamed(plainName: string, rowModel: string): boolean {
  return plainName.startsWith(rowModel) && variant.test(plainName.slice(rowModel.length))
}
