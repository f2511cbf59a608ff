import { closeSync, openSync, writeSync } from 'node:fs'
import { tensorBytes } from './tensor-types.ts'
import type { TensorType } from './tensor-types.ts'

type ScalarType = 'u32' | 'i32' | 'f32' | 'bool' | 'string'
type Scalar = number | boolean | string

/** A metadata value with the type it is stored as. */
export type GgufValue =
  | { readonly type: ScalarType; readonly value: Scalar }
  | { readonly type: 'array'; readonly of: ScalarType; readonly values: readonly Scalar[] }

/** A tensor to write; `fill` is called once with its zeroed bytes. The first dimension is the contiguous one. */
export interface TensorSource {
  readonly name: string
  readonly dims: readonly number[]
  readonly type: TensorType
  fill(target: Uint8Array<ArrayBuffer>): void
}

/** What a GGUF file holds. */
export interface GgufContent {
  readonly metadata: readonly (readonly [key: string, value: GgufValue])[]
  readonly tensors: readonly TensorSource[]
}

const typeIds: Readonly<Record<ScalarType, number>> = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8 }
const arrayTypeId = 9
const alignment = 32

/**
 * Writes a GGUF version 3 file. Tensors are made and written one after the other, so that a large
 * model never lies in memory whole.
 *
 * @example writeGguf('model.gguf', { metadata: [['general.name', { type: 'string', value: 'm' }]], tensors: [] })
 */
export function writeGguf(path: string, content: GgufContent): void {
  const file = openSync(path, 'w')
  try {
    writeWhole(file, header(content))
    for (const tensor of content.tensors) writeWhole(file, data(tensor))
  } finally {
    closeSync(file)
  }
}

/** The size of the file that `writeGguf` makes, without making it. */
export function ggufFileBytes(content: GgufContent): number {
  return content.tensors.reduce((sum, tensor) => sum + padded(tensorSize(tensor)), header(content).length)
}

function header(content: GgufContent): Buffer {
  const parts: Buffer[] = [Buffer.from('GGUF'), u32(3), u64(content.tensors.length), u64(content.metadata.length)]
  for (const [key, value] of content.metadata) pushValue(parts, key, value)
  let offset = 0
  for (const tensor of content.tensors) {
    parts.push(string(tensor.name), u32(tensor.dims.length), ...tensor.dims.map(u64), u32(tensor.type.id), u64(offset))
    offset += padded(tensorSize(tensor))
  }
  const bytes = Buffer.concat(parts)
  return Buffer.concat([bytes, Buffer.alloc(padded(bytes.length) - bytes.length)])
}

function pushValue(parts: Buffer[], key: string, value: GgufValue): void {
  parts.push(string(key))
  if (value.type !== 'array') {
    parts.push(u32(typeIds[value.type]), scalar(value.type, value.value))
    return
  }
  parts.push(u32(arrayTypeId), u32(typeIds[value.of]), u64(value.values.length))
  for (const item of value.values) parts.push(scalar(value.of, item))
}

function data(tensor: TensorSource): Uint8Array {
  const size = tensorSize(tensor)
  const bytes = new Uint8Array(padded(size))
  tensor.fill(bytes.subarray(0, size))
  return bytes
}

function tensorSize(tensor: TensorSource): number {
  return tensorBytes(tensor.type, tensor.dims)
}

function padded(size: number): number {
  return Math.ceil(size / alignment) * alignment
}

function scalar(type: ScalarType, value: Scalar): Buffer {
  if (type === 'string') return string(String(value))
  if (type === 'bool') return Buffer.from([value === true ? 1 : 0])
  const bytes = Buffer.alloc(4)
  if (type === 'u32') bytes.writeUInt32LE(Number(value))
  else if (type === 'i32') bytes.writeInt32LE(Number(value))
  else bytes.writeFloatLE(Number(value))
  return bytes
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  return Buffer.concat([u64(bytes.length), bytes])
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
}
