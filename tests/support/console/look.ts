import type { Locator, Page } from 'playwright-core'

/** How far the page itself can be scrolled sideways: 0 where nothing sticks out. */
export async function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}

/** Texts whose contrast with what is behind them is below 4.5 to 1 (WCAG AA), each with its contrast. */
export async function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(findFaint)
}

/** Controls that a screen reader could not name. */
export async function namelessControls(page: Page): Promise<string[]> {
  return page.evaluate<
    string[]
  >(`[...document.querySelectorAll('a, button, input, select, summary, [role=region], [role=img]')]
    .filter((element) => {
      const labels = [...(element.labels ?? [])].map((label) => label.textContent).join('')
      const pointed = document.getElementById(element.getAttribute('aria-labelledby') ?? '')?.textContent ?? ''
      return (element.getAttribute('aria-label') ?? '') + labels + pointed + element.textContent === ''
    })
    .map((element) => element.outerHTML.slice(0, 120))`)
}

/** One property of how an element is drawn. */
export async function styleOf(locator: Locator, property: string): Promise<string> {
  return locator.evaluate((element, name) => {
    // oxlint-disable-next-line typescript/no-explicit-any -- the page's, whose types are not ours
    return (globalThis as any).getComputedStyle(element)[name] as string
  }, property)
}

/** Runs in the page, whose types are not ours. A canvas knows every notation of colours. */
const findFaint = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const parse = (colour) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data]
  }
  const brightness = (colour) => {
    const [red, green, blue] = colour
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor)
      if (colour[3] === 255) return colour
    }
    return [255, 255, 255, 255]
  }
  const faint = []
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
    const element = text.parentElement
    if (text.data.trim() === '' || !element.checkVisibility() || element.closest(':disabled, option, noscript, title')) continue
    // Text of a picture has its colour, and what is behind it, from shapes.
    const shape = element instanceof SVGElement ? element.parentElement.querySelector('rect') : null
    const [one, other] = [
      brightness(parse(shape === null ? getComputedStyle(element).color : getComputedStyle(element).fill)),
      brightness(shape === null ? behind(element) : parse(getComputedStyle(shape).fill)),
    ]
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
    if (contrast < 4.5) faint.push(contrast.toFixed(2) + ' ' + text.data.trim().slice(0, 60))
  }
  return faint
})()`
