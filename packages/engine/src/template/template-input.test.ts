import { expect, test } from 'vitest'
import { aGeneration } from '../testing/generation-fixture.ts'
import { templateInput, templateTraits } from './template-input.ts'

test('thinking of earlier turns stands where templates look for it, cleaned as all that a client wrote', () => {
  const generation = aGeneration([
    { role: 'assistant', content: 'Yes', reasoning: 'hm' },
    { role: 'user', content: 'So?' },
  ])
  const clean = (text: string): string => text.toUpperCase()
  const input = templateInput({ generation, traits: templateTraits(''), clean })
  expect(input['messages']).toEqual([
    { role: 'assistant', content: 'YES', reasoning_content: 'HM' },
    { role: 'user', content: 'SO?' },
  ])
})
