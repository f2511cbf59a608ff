/**
 * Picks one of several equal replicas for an affinity key by rendezvous hashing: a key stays where it
 * is while its replica lives, and when a replica leaves only that replica's keys move.
 *
 * @returns the index into `replicas`
 * @throws RangeError when there is no replica
 * @example pickReplica('ses_12345678', ['demo#0', 'demo#1'])
 */
export function pickReplica(affinityKey: string, replicas: readonly string[]): number {
  if (replicas.length === 0) throw new RangeError('no replica to pick from')
  let best = 0
  let bestWeight = -1
  for (const [index, replica] of replicas.entries()) {
    const weight = mix(hashText(replica, hashText(affinityKey, 0x9e3779b9)))
    if (weight > bestWeight) {
      best = index
      bestWeight = weight
    }
  }
  return best
}

function hashText(text: string, seed: number): number {
  let hash = seed
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return mix(hash)
}

/** Spreads every input bit over all 32 output bits (the finaliser of MurmurHash3, public domain). */
function mix(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
