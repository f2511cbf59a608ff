import type { PicoUsd } from '../domain/money.ts'

/** Prices of a token that is not cached, that is written, and that is read. */
export interface CachedRates {
  readonly input: PicoUsd
  readonly write: PicoUsd
  readonly read: PicoUsd
}

/**
 * The number of reads from which one write and its reads cost less than the same tokens without a cache: 0 where writing
 * costs nothing extra, `undefined` where no number of reads is enough. Reads, not uses: the write is a use as well.
 *
 * @example breakEvenReads({ input: picoUsd(3n), write: picoUsd(6n), read: picoUsd(1n) }) // 2
 */
export function breakEvenReads({ input, write, read }: CachedRates): number | undefined {
  const premium = write - input
  const discount = input - read
  if (premium <= 0n) return 0
  return discount <= 0n ? undefined : Number(premium / discount) + 1
}

/**
 * The number of reads per hour from which a cache that is billed by the hour costs less than none, once it is written;
 * `undefined` where no number is enough.
 *
 * @example breakEvenReadsPerHour({ input: picoUsd(10n), read: picoUsd(1n), storagePerTokenHour: picoUsd(20n) }) // 3
 */
export function breakEvenReadsPerHour({
  input,
  read,
  storagePerTokenHour,
}: Pick<CachedRates, 'input' | 'read'> & { readonly storagePerTokenHour: PicoUsd }): number | undefined {
  const discount = input - read
  return discount <= 0n ? undefined : Number(storagePerTokenHour / discount) + 1
}
