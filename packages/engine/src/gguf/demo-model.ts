import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { chatmlTemplate } from './chatml.ts'
import { shapeMetadata } from './dense-model.ts'
import type { ModelShape } from './dense-model.ts'
import { demoTensors } from './demo-weights.ts'
import { trainingText } from './training-text.ts'
import { tokenizerMetadata, trainVocabulary } from './vocabulary.ts'
import { writeGguf } from './write.ts'

/** What a model entry names instead of a file, to get the model that needs no download. */
export const demoModelPath = 'builtin:demo'

/** SHA-256 of the file, the same on every machine. */
export const demoModelSha256 = '1724d3fd67d5051c6e10b2a18680f244fdcd2734731c3c39d0772074f1222e74'

/**
 * Small enough for 20,000 tokens per second on one core, with room for 131,072 tokens. Full-precision
 * weights: with smaller ones llama.cpp rounds the activations too, which turns the last-bit differences
 * between one cut of a prompt into batches and another into visible ones.
 */
export const demoShape: ModelShape = {
  name: 'incipit-demo',
  architecture: 'llama',
  layers: 2,
  width: 64,
  heads: 1,
  kvHeads: 1,
  headWidth: 64,
  feedForward: 128,
  vocabulary: 2_048,
  merges: 1_789,
  weights: 'f32',
  contextTokens: 131_072,
  ropeBase: 1_000_000,
  tiedOutput: false,
  seed: 20,
}

/**
 * The file a configured model path stands for: `builtin:demo` is written to `dataDir` on first use
 * (about 0.2 s) and again whenever its bytes are not the published ones; any other path stays itself.
 *
 * @throws Error when the directory cannot be written
 * @example modelFile('builtin:demo', '.incipit') // '.incipit/models/incipit-demo.gguf'
 */
export function modelFile(path: string, dataDir: string): string {
  if (path !== demoModelPath) return path
  const file = join(dataDir, 'models', `${demoShape.name}.gguf`)
  if (sha256(file) !== demoModelSha256) writeDemoModel(file)
  return file
}

function writeDemoModel(file: string): void {
  mkdirSync(dirname(file), { recursive: true })
  // Complete under its name or not there at all, also when several processes write it at once.
  const unfinished = `${file}.${process.pid}.part`
  const vocabulary = trainVocabulary({ text: trainingText, size: demoShape.vocabulary, merges: demoShape.merges })
  writeGguf(unfinished, {
    metadata: [...shapeMetadata(demoShape), ...tokenizerMetadata(vocabulary, { chatTemplate: chatmlTemplate })],
    tensors: demoTensors(demoShape, vocabulary),
  })
  const written = sha256(unfinished)
  if (written !== demoModelSha256) {
    throw new Error(`the built-in model has SHA-256 ${String(written)}, ${demoModelSha256} expected: ${unfinished}`)
  }
  renameSync(unfinished, file)
}

/** Of a file that can be read; `undefined` where there is none. */
function sha256(file: string): string | undefined {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex')
  } catch {
    return undefined
  }
}
