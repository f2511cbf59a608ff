import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../packages/gateway/dist/cli/main.js', import.meta.url))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'incipit-test-bench-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command; `saw` is told what it has said on stderr so far. */
async function bench(
  flags: readonly string[],
  saw: (text: string, child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  const child = spawn(process.execPath, [main, 'bench', 'engine', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
    cwd: folder,
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => saw((stderr += text), child))
  const code = await new Promise<number | null>((resolve) => void child.once('close', resolve))
  return { code, stdout, stderr }
}

interface Row {
  readonly prefix_tokens: number
  readonly tier: string
  readonly evaluated_tokens: number
  readonly ms: { readonly p50: number; readonly count: number }
}

test('it measures every tier of a model, tells how far it is, and leaves nothing but what was asked for', async () => {
  const { code, stdout, stderr } = await bench(['--lengths', '200,400', '--rounds', '2', '--json', '--svg', 'out.svg'])
  expect([code, stderr]).toEqual([0, expect.stringContaining('400 tokens: round 2 of 2')])
  const { rows, model, prefix_cache_off } = JSON.parse(stdout) as {
    readonly rows: readonly Row[]
    readonly model: { readonly synthetic: boolean }
    readonly prefix_cache_off?: string
  }
  expect([model.synthetic, prefix_cache_off]).toEqual([true, undefined])
  expect(rows.map(({ prefix_tokens, tier }) => `${prefix_tokens} ${tier}`)).toEqual(
    [200, 400].flatMap((length) => ['cold', 'hot', 'ram', 'disk'].map((tier) => `${length} ${tier}`)),
  )
  for (const { prefix_tokens, tier, evaluated_tokens, ms } of rows) {
    expect(ms.count).toBe(2)
    expect(ms.p50).toBeGreaterThan(0)
    // Warm: the question, and at most the block in which it begins.
    const [least, most] = tier === 'cold' ? [prefix_tokens, Infinity] : [0, 32 + 64]
    expect(evaluated_tokens).toBeGreaterThan(least)
    expect(evaluated_tokens).toBeLessThan(most)
  }
  expect(readFileSync(join(folder, 'out.svg'), 'utf8')).toMatch(/^<svg /)
  expect(readdirSync(folder)).toEqual(['out.svg'])
})

test('stopped half-way it leaves nothing either', async () => {
  let isStopped = false
  const { code, stderr, stdout } = await bench(['--lengths', '300', '--rounds', '500'], (text, child) => {
    if (!isStopped && text.includes('round 1 of 500')) isStopped = child.kill('SIGINT')
  })
  expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining('stopped')])
  expect(readdirSync(folder)).toEqual([])
})

test.each([
  [['--lengths', '100'], 'a length of 100 tokens is asked for; 128 to'],
  [['--lengths', '500,many'], '"many" is not a length of 1 to 1,000,000'],
  [['--rounds', '0'], '"0" is not a number of rounds of 1 to 1,000'],
  [['--model', 'nothing.gguf'], 'nothing.gguf'],
  [['--folder', 'nowhere'], 'nowhere'],
])('%j is refused in plain words', async (flags, message) => {
  const { code, stderr } = await bench(flags)
  expect([code, stderr]).toEqual([1, expect.stringContaining(message)])
  expect(stderr).not.toContain('    at ')
  expect(readdirSync(folder)).toEqual([])
})
