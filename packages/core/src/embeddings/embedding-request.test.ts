import { expect, test } from 'vitest'
import { parseEmbedding, readEmbedding } from './embedding-request.ts'

const read = (body: unknown) => readEmbedding(parseEmbedding(new TextEncoder().encode(JSON.stringify(body))))

test('a text, texts, token ids and lists of them are inputs', () => {
  const inputsOf = (input: unknown) => read({ model: 'm', input }).inputs
  expect(inputsOf('one')).toEqual(['one'])
  expect(inputsOf(['one', 'two'])).toEqual(['one', 'two'])
  expect(inputsOf([1, 2, 3])).toEqual([[1, 2, 3]])
  expect(inputsOf([[1], [2, 3]])).toEqual([[1], [2, 3]])
  expect(inputsOf(['a', [4]])).toEqual(['a', [4]])
})

test('vectors are whole lists of numbers unless the body says otherwise', () => {
  expect(read({ model: 'm', input: 'x' })).toMatchObject({ dimensions: undefined, encoding: 'float' })
  const other = { model: 'm', input: 'x', dimensions: 8, encoding_format: 'base64' }
  expect(read(other)).toMatchObject({ dimensions: 8, encoding: 'base64' })
})

test.for([
  [{ input: 'x' }, '/model', 'missing'],
  [{ model: 'm' }, '/input', 'missing'],
  [{ model: 'm', input: '' }, '/input', 'not empty'],
  [{ model: 'm', input: ['x', ''] }, '/input/1', 'not empty'],
  [{ model: 'm', input: [] }, '/input', 'at least one input'],
  [{ model: 'm', input: [[]] }, '/input/0', 'at least one token id'],
  [{ model: 'm', input: [1, -2] }, '/input/1', '-2, expected an integer from 0'],
  [{ model: 'm', input: [1, 'x'] }, '/input/1', 'a string'],
  [{ model: 'm', input: { text: 'x' } }, '/input', 'an object'],
  [{ model: 'm', input: Array.from({ length: 2_049 }, () => 'x') }, '/input', 'at most 2048 inputs, and not 2049'],
  [{ model: 'm', input: 'x', dimensions: 0 }, '/dimensions', '0, expected an integer from 1'],
  [{ model: 'm', input: 'x', encoding_format: 'hex' }, '/encoding_format', 'one of float, base64'],
] as const)('%j is refused at %s', ([body, param, words]) => {
  expect(() => read(body)).toThrow(expect.objectContaining({ param, message: expect.stringContaining(words) }))
})
