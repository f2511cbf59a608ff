import { expect, test } from 'vitest'
import { aGeneration } from '../testing/generation-fixture.ts'
import { compileTemplate } from './chat-template.ts'
import { templateInput } from './template-input.ts'
import { templateTraits } from './template-traits.ts'

test('thinking of earlier turns stands where templates look for it, cleaned as all that a client wrote', () => {
  const generation = aGeneration([
    { role: 'assistant', content: 'Yes', reasoning: 'hm' },
    { role: 'user', content: 'So?' },
  ])
  const source = '{% for m in messages %}{{ m.role + m.content }}{% endfor %}'
  const traits = templateTraits(compileTemplate(source), {})
  const clean = (text: string): string => text.toUpperCase()
  const input = templateInput({ generation, traits, clean })
  expect(input['messages']).toEqual([
    { role: 'assistant', content: 'YES', reasoning_content: 'HM' },
    { role: 'user', content: 'SO?' },
  ])
})
