import { describe, expect, test } from 'vitest'
import { testTemplates } from '../testing/chat-templates.ts'
import { compileTemplate } from './chat-template.ts'
import type { TemplateTraits } from './template-traits.ts'
import { templateTraits } from './template-traits.ts'

const easy: TemplateTraits = {
  typedContent: false,
  developerRole: false,
  system: 'anywhere',
  alternates: false,
  toolDefinitions: true,
  toolTurns: true,
  answersResults: false,
  singleCalls: false,
  shortIds: false,
  argumentText: false,
}

/** What each family does not do as most do. */
const expected: Readonly<Record<string, Partial<TemplateTraits>>> = {
  chatml: { argumentText: true },
  'llama-3': { singleCalls: true },
  'qwen-2.5': {},
  'qwen-3': { argumentText: true },
  'gemma-2': { system: 'nowhere', alternates: true, toolDefinitions: false, toolTurns: false },
  'gemma-3': { system: 'first', alternates: true, toolDefinitions: false, toolTurns: false },
  'mistral-v3': { system: 'nowhere', alternates: true, answersResults: true, shortIds: true },
  'mistral-v7': {},
  harmony: { developerRole: true, system: 'first', singleCalls: true },
  deepseek: { system: 'first', toolDefinitions: false, argumentText: true },
}

describe('what a template takes', () => {
  test.each(testTemplates)('$name', ({ name, source }) => {
    expect(templateTraits(compileTemplate(source), { bos_token: '', eos_token: '' })).toEqual({
      ...easy,
      ...expected[name],
    })
  })

  test('content in parts, where text as such does not come out', () => {
    const source = `{% for m in messages %}{{ m.role }}: {% for part in m.content %}{{ part.text }}{% endfor %}
{% endfor %}`
    expect(templateTraits(compileTemplate(source), {}).typedContent).toBe(true)
  })

  test('a template that refuses everything takes nothing, and is no fault here', () => {
    const traits = templateTraits(compileTemplate("{{ raise_exception('no') }}"), {})
    expect(traits).toMatchObject({ system: 'nowhere', toolTurns: false, singleCalls: false, shortIds: false })
  })
})
