import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { UpstreamKind } from '../packages/gateway/src/config/upstream-settings.ts'
import { kindTraits } from '../packages/gateway/src/upstreams/kinds.ts'

const page = readFileSync(new URL('../docs/upstreams.md', import.meta.url), 'utf8')
const sectionOf = (title: string): string => page.split(/^## /m).find((section) => section.startsWith(title)) ?? ''
const cellsOf = (section: string): string[][] =>
  [...section.matchAll(/^\| `.*\|$/gm)].map(([line]) => line.split('|').map((cell) => cell.trim()))

const dialects: Readonly<Record<string, string>> = {
  'openai-chat': 'Chat',
  'openai-responses': 'Responses',
  'anthropic-messages': 'Messages',
  'workers-ai': 'Workers AI',
}

test('every kind is documented as it is, in its order', () => {
  const documented = cellsOf(sectionOf('Kinds')).map((cells) => cells.slice(1, -1))
  const row = ([kind, traits]: [string, (typeof kindTraits)[UpstreamKind]]): string[] => [
    `\`${kind}\``,
    // Of Workers AI it is made from the account.
    kind === 'workers-ai' ? '`https://api.cloudflare.com/client/v4/accounts/{id}/ai`' : codeOr(traits.baseUrl, 'none'),
    Object.keys(traits.paths)
      .map((name) => dialects[name])
      .join(', '),
    `\`${traits.auth === 'bearer' ? 'authorization' : 'x-api-key'}\``,
    codeOr(traits.affinityHeader, '–'),
    isolationOf(traits.isolation),
    `\`${traits.defaultIsolation}\``,
    traits.counts ? 'yes' : 'no',
    traits.embeddings ? 'yes' : 'no',
  ]
  expect(documented).toEqual(Object.entries(kindTraits).map(row))
})

test('every edit is documented, and every documented one is made somewhere', () => {
  const plans = new URL('../packages/core/src/plan/', import.meta.url)
  const source = readdirSync(plans)
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => readFileSync(new URL(file, plans), 'utf8'))
    .join('\n')
  const made = [...source.matchAll(/name: '([a-z-]+)', (?:start|end|replacement)|\bedit\('([a-z-]+)'/g)]
  made.push(...source.matchAll(/\.\.\.document\.span\(absent\), name: '([a-z-]+)'/g))
  const names = new Set(made.map(([, named, edited]) => named ?? edited))
  const documented = cellsOf(sectionOf('What is sent')).map(([, name]) => name?.replaceAll('`', ''))
  expect(documented).toHaveLength(names.size + 1)
  expect(new Set(documented)).toEqual(new Set([...names, 'translate-<a>-<b>']))
})

function codeOr(text: string | undefined, otherwise: string): string {
  return text === undefined ? otherwise : `\`${text}\``
}

function isolationOf(isolation: (typeof kindTraits)[UpstreamKind]['isolation']): string {
  if (isolation === undefined) return '–'
  return `${isolation.kind === 'field' ? 'body' : 'header'} \`${isolation.name}\``
}
