const perDoubling = 4
const doublings = 13

/** Ages beyond this many requests are not told apart. */
export const ageHorizon: number = 2 ** doublings

/** Buckets of ages in requests: 0 is the running request, then four to each doubling. */
export const ageBuckets: number = doublings * perDoubling + 2

/** The age at which each bucket begins, as a real number, and the end of the last. */
export const bucketStarts: Float64Array = Float64Array.from({ length: ageBuckets + 1 }, (_, bucket) =>
  bucket === 0 ? 0 : 2 ** ((bucket - 1) / perDoubling),
)

const table = makeTable()

/** @example ageBucket(1) // 1 */
export function ageBucket(age: number): number {
  return age >= ageHorizon ? ageBuckets - 1 : (table[age] ?? 0)
}

/** Every age at which a block enters another bucket. */
export const crossingAges: readonly number[] = crossings()

function makeTable(): Uint8Array {
  const buckets = new Uint8Array(ageHorizon)
  let bucket = 0
  for (let age = 1; age < ageHorizon; age++) {
    while ((bucketStarts[bucket + 1] ?? Infinity) <= age) bucket++
    buckets[age] = bucket
  }
  return buckets
}

function crossings(): readonly number[] {
  const ages: number[] = []
  for (let age = 1; age <= ageHorizon; age++) if (ageBucket(age) !== ageBucket(age - 1)) ages.push(age)
  return ages
}
