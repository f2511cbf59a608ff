import { halfBits } from './half.ts'
import { randomWords, signedUnit } from './random.ts'
import { writableTypes } from './tensor-types.ts'
import type { TensorSource } from './write.ts'

type WeightType = 'f32' | 'f16' | 'q4_0' | 'q8_0'

/**
 * Tensors of a synthetic model, in the order of the file. Random ones are seeded by their place.
 * @example new TensorList({ weights: 'f16', seed: 1 }).add('token_embd.weight', [64, 700])
 */
export class TensorList {
  readonly #tensors: TensorSource[] = []
  readonly #weights: WeightType
  readonly #seed: number

  constructor({ weights, seed }: { readonly weights: WeightType; readonly seed: number }) {
    this.#weights = weights
    this.#seed = seed
  }

  get all(): TensorSource[] {
    return this.#tensors
  }

  /** Random numbers of a size that keeps activations near 1, times `gain`. */
  add(name: string, dims: number[], options: { readonly gain?: number; readonly type?: WeightType } = {}): void {
    const type = options.type ?? this.#weights
    const deviation = (options.gain ?? 1) / Math.sqrt(dims[0] as number)
    const seed = this.#seed * 7_919 + this.#tensors.length * 104_729 + 17
    this.#tensors.push({
      name,
      dims,
      type: writableTypes[type],
      fill: (target) => fillRandom(target, { type, deviation, seed }),
    })
  }

  /** A normalisation weight that changes nothing. */
  ones(name: string, size: number): void {
    this.#tensors.push(onesTensor(name, size))
  }

  /** How fast each part of the state of a state space fades: what is not negative would grow without end. */
  decay(name: string, stateSize: number, inner: number): void {
    this.#tensors.push({
      name,
      dims: [stateSize, inner],
      type: writableTypes.f32,
      fill: (target) => {
        const values = new Float32Array(target.buffer, target.byteOffset, stateSize * inner)
        for (let index = 0; index < values.length; index++) values[index] = -(1 + (index % stateSize)) / stateSize
      },
    })
  }
}

/** A normalisation weight that changes nothing. */
export function onesTensor(name: string, size: number): TensorSource {
  return {
    name,
    dims: [size],
    type: writableTypes.f32,
    fill: (target) => void new Float32Array(target.buffer, target.byteOffset, size).fill(1),
  }
}

/** Uniform numbers of the given standard deviation. */
function fillRandom(
  target: Uint8Array<ArrayBuffer>,
  options: { readonly type: WeightType; readonly deviation: number; readonly seed: number },
): void {
  const next = randomWords(options.seed)
  // A uniform number in [-1, 1) has the deviation 1 / sqrt(3).
  const scale = options.deviation * Math.sqrt(3)
  if (options.type === 'f32') {
    const values = new Float32Array(target.buffer, target.byteOffset, target.length / 4)
    for (let index = 0; index < values.length; index++) values[index] = signedUnit(next) * scale
  } else if (options.type === 'f16') {
    const values = new Uint16Array(target.buffer, target.byteOffset, target.length / 2)
    for (let index = 0; index < values.length; index++) values[index] = halfBits(signedUnit(next) * scale)
  } else {
    fillBlocks(target, { next, block: writableTypes[options.type].bytes, deviation: options.deviation })
  }
}

/** Quantised blocks: random integers under one fixed scale, many times faster than quantising numbers. */
function fillBlocks(
  target: Uint8Array<ArrayBuffer>,
  options: { readonly next: () => number; readonly block: number; readonly deviation: number },
): void {
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length >>> 2)
  for (let index = 0; index < words.length; index++) words[index] = options.next()
  for (let index = words.length * 4; index < target.length; index++) target[index] = options.next() & 255
  // Deviation of a uniform signed byte (Q8_0), or of a uniform nibble minus 8 (Q4_0).
  const scale = halfBits(options.deviation / (options.block === 34 ? 73.9 : 4.6))
  for (let at = 0; at < target.length; at += options.block) {
    target[at] = scale & 255
    target[at + 1] = scale >>> 8
  }
}
