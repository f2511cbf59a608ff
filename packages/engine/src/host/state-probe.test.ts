import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context, Model } from '../native/contract.ts'
import { temporaryDirectory, tinyModel } from '../testing/native-fixture.ts'
import { probeStates } from './state-probe.ts'

const settings = { threads: { decode: 1, prefill: 1 }, flashAttention: false }
const models: Model[] = []
let recurrent: Model
let hybrid: Model

beforeAll(() => {
  const directory = temporaryDirectory()
  models.push((recurrent = tinyModel(directory, 'tinyRecurrent')), (hybrid = tinyModel(directory, 'tinyHybrid')))
})
afterAll(() => {
  for (const model of models) model.close()
})

test('D-55 what a state takes is asked of the model: 3 layers of a state space, and 2 beside attention', async () => {
  // A layer: 128 channels, 16 numbers of state and 3 of convolution each.
  const layer = 128 * (16 + 3) * 4
  const three = await probeStates(recurrent, settings)
  const two = await probeStates(hybrid, settings)
  expect(three.inexact).toBeUndefined()
  expect(two.inexact).toBeUndefined()
  expect(three.bytes - 3 * layer).toBeLessThan(200)
  expect(two.bytes - 2 * layer).toBeLessThan(200)
  expect(Math.min(three.bytes - 3 * layer, two.bytes - 2 * layer)).toBeGreaterThan(0)
})

/** The model, whose contexts do something else. */
function spoiled(model: Model, spoil: (context: Context) => Partial<Context>): Model {
  const createContext: Model['createContext'] = (options) => {
    const context = model.createContext(options)
    const changed = spoil(context)
    return new Proxy(context, {
      get: (target, name) => {
        const value: unknown = Reflect.get(name in changed ? changed : target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
  return new Proxy(model, {
    get: (target, name) => (name === 'createContext' ? createContext : Reflect.get(target, name)),
  })
}

test('D-55 a model whose logits depend on how a prompt is cut, or whose states do not come back, is found out', async () => {
  const cut = spoiled(recurrent, (context) => ({
    logits: (index) => context.logits(index).map((logit) => logit + index * 1e-6),
  }))
  expect((await probeStates(cut, settings)).inexact).toBe(
    'a prompt that is evaluated in two parts gives other logits than one whole',
  )
  const refused = spoiled(recurrent, () => ({ writeState: () => false }))
  expect((await probeStates(refused, settings)).inexact).toBe('its saved states are refused')
  const forgotten = spoiled(recurrent, () => ({ writeState: () => true }))
  expect((await probeStates(forgotten, settings)).inexact).toBe('a saved state gives other logits')
})
