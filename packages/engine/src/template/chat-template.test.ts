import { describe, expect, test } from 'vitest'
import { compileTemplate } from './chat-template.ts'

const render = (source: string, variables: Record<string, unknown> = {}, date?: string): string =>
  compileTemplate(source).render(variables, date)

describe('a chat template', () => {
  test('has what the language has: constants, ranges, faults in its own words', () => {
    expect(render('{{ true }}{{ True }}{{ none is none }}{{ x is defined }}')).toBe('truetruetruefalse')
    expect(render('{% for i in range(3) %}{{ i }}{% endfor %}')).toBe('012')
    expect(
      render('{% for i in range(6, 1, -2) %}{{ i }}{% endfor %}{% for i in range(4, 6) %}{{ i }}{% endfor %}'),
    ).toBe('64245')
    expect(() => render("{{ raise_exception('not like this') }}")).toThrow(/refuses these messages: not like this$/)
  })

  test('cannot run for ever, or fill the memory', () => {
    expect(() => render('{% for i in range(1000000000) %}{% endfor %}')).toThrow(/1000000000 numbers, 1000000 allowed/)
    expect(() => render('{% for i in range(1, 2, 0) %}{% endfor %}')).toThrow(/Infinity numbers/)
  })

  test('D-28 is not told the time: nothing where it asks, an empty text where it does not', () => {
    expect(render("{{ strftime_now('%Y') if strftime_now is defined else 'none' }}")).toBe('none')
    expect(render("[{{ strftime_now('%Y') }}]")).toBe('[]')
    expect(render("{{ strftime_now('%Y') if strftime_now is defined else 'none' }}", {}, 'today')).toBe('today')
    expect(render("[{{ strftime_now('%Y') }}]", {}, 'today')).toBe('[today]')
  })

  test('keeps nothing from one prompt to the next', () => {
    const template = compileTemplate('{% set x = (x or "") + y %}{{ x }}')
    expect([template.render({ y: 'a' }), template.render({ y: 'b' })]).toEqual(['a', 'b'])
  })

  test('that cannot be compiled is a fault of the model', () => {
    expect(() => compileTemplate('{% for %}')).toThrow(/cannot be compiled/)
  })
})
