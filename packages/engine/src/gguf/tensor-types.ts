/** Storage of one tensor element type: `block` elements take `bytes` bytes. */
export interface TensorType {
  readonly id: number
  readonly name: string
  readonly block: number
  readonly bytes: number
}

const rows: readonly (readonly [number, string, number, number])[] = [
  [0, 'F32', 1, 4],
  [1, 'F16', 1, 2],
  [2, 'Q4_0', 32, 18],
  [3, 'Q4_1', 32, 20],
  [6, 'Q5_0', 32, 22],
  [7, 'Q5_1', 32, 24],
  [8, 'Q8_0', 32, 34],
  [9, 'Q8_1', 32, 36],
  [10, 'Q2_K', 256, 84],
  [11, 'Q3_K', 256, 110],
  [12, 'Q4_K', 256, 144],
  [13, 'Q5_K', 256, 176],
  [14, 'Q6_K', 256, 210],
  [15, 'Q8_K', 256, 292],
  [16, 'IQ2_XXS', 256, 66],
  [17, 'IQ2_XS', 256, 74],
  [18, 'IQ3_XXS', 256, 98],
  [19, 'IQ1_S', 256, 50],
  [20, 'IQ4_NL', 32, 18],
  [21, 'IQ3_S', 256, 110],
  [22, 'IQ2_S', 256, 82],
  [23, 'IQ4_XS', 256, 136],
  [24, 'I8', 1, 1],
  [25, 'I16', 1, 2],
  [26, 'I32', 1, 4],
  [27, 'I64', 1, 8],
  [28, 'F64', 1, 8],
  [29, 'IQ1_M', 256, 56],
  [30, 'BF16', 1, 2],
]

/** Types whose size is known, by their number in the file; newer ones are left to llama.cpp to judge. */
export const tensorTypes: ReadonlyMap<number, TensorType> = new Map(
  rows.map(([id, name, block, bytes]) => [id, { id, name, block, bytes }]),
)

/** The types our writer makes. */
export const writableTypes = {
  f32: { id: 0, name: 'F32', block: 1, bytes: 4 },
  f16: { id: 1, name: 'F16', block: 1, bytes: 2 },
  q4_0: { id: 2, name: 'Q4_0', block: 32, bytes: 18 },
  q8_0: { id: 8, name: 'Q8_0', block: 32, bytes: 34 },
} as const satisfies Readonly<Record<string, TensorType>> as Readonly<
  Record<'f32' | 'f16' | 'q4_0' | 'q8_0', TensorType>
>

/** Bytes of a tensor of these dimensions, without padding. */
export function tensorBytes(type: TensorType, dims: readonly number[]): number {
  return (dims.reduce((product, dim) => product * dim, 1) / type.block) * type.bytes
}
