import { byteSpelling } from './bpe.ts'
import type { ModelShape } from './dense-model.ts'
import { onesTensor } from './tensor-list.ts'
import { randomWords, signedUnit } from './random.ts'
import { writableTypes } from './tensor-types.ts'
import { trainingText } from './training-text.ts'
import { tokenIds } from './vocabulary.ts'
import type { Vocabulary } from './vocabulary.ts'
import type { TensorSource } from './write.ts'

/**
 * Channel 0 of the hidden state carries the same number for every token: no matrix writes to it, and
 * the last layer adds it as a bias. The output matrix reads it, which gives each token a liking of its
 * own; llama models have no output bias that could do this.
 */
const constantChannel = 0
const constantValue = 12
/** What is left of `constantValue` behind the last normalisation, about. */
const constantAfterNorm = 5.6
/** Deviation of the logits around the likings. */
const logitDeviation = 2.4

/**
 * Random weights that write word salad: what a token is like decides how often it comes, and chance
 * what follows what.
 */
export function demoTensors(shape: ModelShape, vocabulary: Vocabulary): TensorSource[] {
  const { width, headWidth, feedForward } = shape
  const source = new WeightSource(shape.seed)
  const likings = vocabulary.tokens.map((token, id) => liking(id, token))
  const tensors = [
    source.matrix('token_embd.weight', [width, shape.vocabulary], { gain: Math.sqrt(width), silentInput: true }),
    onesTensor('output_norm.weight', width),
    source.matrix('output.weight', [width, shape.vocabulary], {
      gain: logitDeviation * 1.4,
      column: likings.map((like) => like / constantAfterNorm),
    }),
  ]
  for (let layer = 0; layer < shape.layers; layer++) {
    const name = (part: string): string => `blk.${layer}.${part}`
    tensors.push(
      silentNorm(name('attn_norm.weight'), width),
      source.matrix(name('attn_q.weight'), [width, shape.heads * headWidth], { gain: 2 }),
      source.matrix(name('attn_k.weight'), [width, shape.kvHeads * headWidth], { gain: 2 }),
      source.matrix(name('attn_v.weight'), [width, shape.kvHeads * headWidth], { gain: 1 }),
      source.matrix(name('attn_output.weight'), [shape.heads * headWidth, width], { gain: 1.2, silentOutput: true }),
      silentNorm(name('ffn_norm.weight'), width),
      source.matrix(name('ffn_gate.weight'), [width, feedForward], { gain: 1.5 }),
      source.matrix(name('ffn_up.weight'), [width, feedForward], { gain: 1.5 }),
      source.matrix(name('ffn_down.weight'), [feedForward, width], { gain: 1, silentOutput: true }),
    )
  }
  tensors.push(constantBias(`blk.${shape.layers - 1}.ffn_down.bias`, width))
  return tensors
}

/** How much a token is liked, in logits. Fragments, symbols and what cannot be printed stay rare. */
function liking(id: number, token: string): number {
  if (id === tokenIds.imEnd) return endLiking
  if (id < tokenIds.firstByte) return never
  const text = decode(token)
  if (/[^ -~\n]/.test(text)) return never
  const word = /^ ([a-z]+)$/.exec(text)?.[1]
  if (word !== undefined) return !wholeWords.has(word) ? -2 : word.length > 2 ? 1.5 : 0.5
  if (/^[,.]$/.test(text)) return 3
  if (/^ [A-Z][a-z]+$/.test(text)) return -1
  if (/^[a-z]{2,}$/.test(text)) return -2.5
  if (/^[;:?!]$|^\n$/.test(text)) return -1
  return -6
}

/** Written as words of their own, and not only as parts of longer ones. */
const wholeWords: ReadonlySet<string> = new Set(trainingText.match(/(?<![A-Za-z])[a-z]+(?![A-Za-z])/g))

const never = -40
const endLiking = -1.5

function decode(token: string): string {
  return Buffer.from(Array.from(token, (char) => byteSpelling.indexOf(char))).toString('latin1')
}

interface MatrixOptions {
  /** Deviation of an output for inputs of deviation 1. */
  readonly gain: number
  /** The constant channel of each row is 0. */
  readonly silentInput?: boolean
  /** The row that writes the constant channel is 0. */
  readonly silentOutput?: boolean
  /** The constant channel of each row, instead of a random number. */
  readonly column?: readonly number[]
}

/** Draws one matrix after the other from seeds of their own. */
class WeightSource {
  #seed: number

  constructor(seed: number) {
    this.#seed = seed
  }

  matrix(name: string, dims: readonly [inputs: number, outputs: number], options: MatrixOptions): TensorSource {
    this.#seed += 104_729
    const seed = this.#seed
    return f32(name, dims, (values) => draw(values, { ...options, inputs: dims[0], outputs: dims[1], seed }))
  }
}

function draw(
  values: Float32Array,
  options: MatrixOptions & { readonly inputs: number; readonly outputs: number; readonly seed: number },
): void {
  const { inputs, outputs, column } = options
  const next = randomWords(options.seed)
  const scale = options.gain * Math.sqrt(3 / inputs)
  for (let index = 0; index < values.length; index++) values[index] = signedUnit(next) * scale
  for (let row = 0; row < outputs; row++) {
    if (options.silentInput === true) values[row * inputs + constantChannel] = 0
    if (column !== undefined) values[row * inputs + constantChannel] = column[row] as number
  }
  if (options.silentOutput === true) values.fill(0, constantChannel * inputs, (constantChannel + 1) * inputs)
}

function silentNorm(name: string, size: number): TensorSource {
  return f32(name, [size], (values) => values.fill(1).fill(0, constantChannel, constantChannel + 1))
}

function constantBias(name: string, size: number): TensorSource {
  return f32(name, [size], (values) => values.fill(constantValue, constantChannel, constantChannel + 1))
}

function f32(name: string, dims: readonly number[], set: (values: Float32Array) => void): TensorSource {
  const fill: TensorSource['fill'] = (target) =>
    set(new Float32Array(target.buffer, target.byteOffset, target.length / Float32Array.BYTES_PER_ELEMENT))
  return { name, dims, type: writableTypes.f32, fill }
}
