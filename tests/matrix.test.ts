import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import type { Ask, Asked } from './support/matrix/ask.ts'
import { addedWarnings, asker, warningsAt } from './support/matrix/ask.ts'
import { attachments } from './support/matrix/attachments.ts'
import type { Place } from './support/matrix/bodies.ts'
import { argumentBytes, bodyOf, markForms, pointers, schemaBytes } from './support/matrix/bodies.ts'
import { ownParts } from './support/matrix/own-parts.ts'
import type { Json, SentMark } from './support/matrix/sent-body.ts'
import { fits, holds, marksOf } from './support/matrix/sent-body.ts'
import { settings } from './support/matrix/settings.ts'
import type { MatrixTarget, Source } from './support/matrix/targets.ts'
import { modelOf, sources, spokenTo, startTargets, targets } from './support/matrix/targets.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'

let gateway: ServerProcess
let upstream: RecordingUpstream
let ask: Ask

beforeAll(async () => {
  const started = await startTargets()
  upstream = started.upstream
  gateway = await startGateway(started.configured)
  ask = asker(gateway.url, upstream)
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

const pairs = targets.flatMap((target) =>
  sources.map((source) => ({ name: `${source} -> ${target.name}`, source, target })),
)

describe.each(pairs)('$name', ({ source, target }) => {
  const spoken = spokenTo(target, source)
  const same = spoken === source

  test('D-10 D-11 D-12 each cache mark stands where it stood, or a warning says what became of it', async () => {
    for (const { member, at } of markForms[source]) {
      for (const place of at) {
        const json = member === 'cache_control' ? { type: 'ephemeral' } : { mode: 'explicit' }
        const mark = { at: place, json, member }
        const asked = await ask(source, target, bodyOf(source, { model: modelOf(target), mark }))
        const fate = fateOf(asked, source, place)
        expect(`${member} on ${place}: ${fate}`).toBe(`${member} on ${place}: ${expectedFate(target, source, place)}`)
        const sendsMarks = same || target.marks !== 'none'
        expect(sendsMarks || !/cache_control|prompt_cache_breakpoint/.test(asked.sent.body.toString())).toBe(true)
      }
    }
  })

  test('D-10 the life of a mark is carried, or a warning says which one it has', async () => {
    const mark = { at: 'user', json: { type: 'ephemeral', ttl: '1h' }, member: 'cache_control' } as const
    const asksForAnHour =
      source === 'openai-responses'
        ? bodyOf(source, {
            model: modelOf(target),
            mark: { at: 'user', json: { mode: 'explicit' }, member: 'prompt_cache_breakpoint' },
            more: { prompt_cache_options: { ttl: '12h' } },
          })
        : bodyOf(source, { model: modelOf(target), mark })
    const { json, warnings } = await ask(source, target, asksForAnHour)
    const user = marksOf(json).find(({ at }) => at === 'user')
    const said = ['ttl_changed', 'mark_not_carried'].filter(
      (code) => warningsAt(warnings, code, pointers[source].user).length > 0,
    )
    const asked = source === 'openai-responses' ? '12h' : '1h'
    expect({ said, ttl: lifeOf(json, user) }).toEqual(expectedLife(target, source, asked))
  })

  test('D-4 D-9 definitions of tools and past arguments keep the bytes of the client', async () => {
    const { sent, json, warnings } = await ask(source, target, bodyOf(source, { model: modelOf(target) }))
    const text = sent.body.toString('utf8')
    expect(text).toContain(schemaBytes)
    expect([text.includes(argumentBytes), text.includes(JSON.stringify(argumentBytes))]).toContain(true)
    expect(holds(json, { name: 'find', description: 'Finds.' })).toBe(true)
    for (const said of ['sys-one', 'sys-two', 'user-one', 'assistant-one', 'result-one', 'user-two', 'call_1'])
      expect(text).toContain(`"${said}"`)
    expect(warnings.filter((warning) => !/^(value_defaulted|mark_not_carried)/.test(warning))).toEqual([])
  })

  test('attachments are carried in the form of the target, or a warning names the block that is not', async () => {
    for (const { name, says, sent, inResult } of attachments) {
      const part = says[source]
      if (part === undefined) continue
      const where = inResult === true ? { resultParts: [part] } : { parts: [part] }
      const { json, warnings } = await ask(source, target, bodyOf(source, { model: modelOf(target), ...where }))
      const pointer = inResult === true ? pointers[source].result : pointers[source].user.replace(/0$/, '1')
      const wanted = sent[spoken]
      const carried = wanted !== undefined && holds(json, wanted)
      const lost = warningsAt(warnings, 'block_not_carried', pointer).length > 0
      expect([name, carried, lost]).toEqual([name, wanted !== undefined, wanted === undefined])
    }
  })

  test('settings stand under the name of the target, or a warning says that they are not carried', async () => {
    const before = await ask(source, target, bodyOf(source, { model: modelOf(target) }))
    const silent: string[] = []
    for (const setting of settings) {
      const more = setting.says[source]
      if (more === undefined) continue
      const asked = await ask(source, target, bodyOf(source, { model: modelOf(target), more }))
      const wanted = (same ? undefined : setting.sent?.[spoken]) ?? setting.says[spoken]
      const carried = same || (wanted !== undefined && fits(asked.json, wanted))
      const added = addedWarnings(asked.warnings, before.warnings)
      if (!carried && added.length === 0) silent.push(setting.name)
      if (same && added.length > 0) silent.push(`${setting.name}: ${added.join()}`)
    }
    expect(silent).toEqual([])
  })

  test('what few dialects have a word for is carried to those, and named elsewhere', async () => {
    for (const part of ownParts.filter((part) => part.source === source)) {
      const body = JSON.stringify({ model: modelOf(target), ...part.body })
      const { sent, json, warnings } = await ask(source, target, body)
      const wanted = part.sent?.[spoken]
      const carried = same ? sent.body.toString('utf8') === body : wanted !== undefined && holds(json, wanted)
      const named = warnings.includes(`${part.code}: ${part.pointer}`)
      expect([part.name, carried, named]).toEqual([
        part.name,
        same || wanted !== undefined,
        !same && wanted === undefined,
      ])
    }
  })

  test('a body of the dialect that is spoken upstream leaves as it came', async () => {
    const body = bodyOf(source, { model: modelOf(target), more: { frobnicate: [1.0, { a: 'é' }] } })
    const { sent, edits } = await ask(source, target, body)
    expect(edits).toEqual(same ? [] : [`translate-${source}-${spoken}`])
    expect(sent.body.toString('utf8') === body).toBe(same)
  })
})

type Fate = 'kept' | 'moved' | 'lost' | 'by itself' | 'silently gone'

/** What became of the one mark of a body. */
function fateOf({ json, warnings }: Asked, source: Source, place: Place): Fate {
  const pointer = pointers[source][place]
  const said = (code: string): boolean => warningsAt(warnings, code, pointer).length > 0
  const marks = marksOf(json)
  const fates: Fate[] = []
  if (marks.some(({ at }) => at === place)) fates.push('kept')
  if (said('mark_moved') && marks.length > 0) fates.push('moved')
  if (said('mark_not_carried') || said('mark_dropped')) fates.push('lost')
  if (fates.length > 1) throw new Error(`${place}: ${fates.join(' and ')}`)
  if (place === 'top' && fates.length === 0 && !fits(json, { prompt_cache_options: { mode: 'explicit' } }))
    return 'by itself'
  return fates[0] ?? 'silently gone'
}

/** The life a mark asks for: its own, or that of all marks of the body. */
function lifeOf(body: Json, mark: SentMark | undefined): string | undefined {
  if (mark === undefined) return undefined
  const whole = ['30m', '12h'].find((ttl) => fits(body, { prompt_cache_options: { ttl } }))
  return mark.ttl ?? whole
}

/** What becomes of a long life; `undefined` = the shortest that the target has. */
function expectedLife(
  target: MatrixTarget,
  source: Source,
  asked: string,
): { said: string[]; ttl: string | undefined } {
  if (spokenTo(target, source) === source) return { said: [], ttl: asked }
  switch (target.marks) {
    case 'none':
      return { said: ['mark_not_carried'], ttl: undefined }
    case 'cache_control':
      return { said: asked === '1h' ? [] : ['ttl_changed'], ttl: '1h' }
    case 'breakpoint':
      return { said: ['ttl_changed'], ttl: undefined }
    default:
      return target.marks satisfies never
  }
}

/** The table: what a target does with a mark of another dialect. */
function expectedFate(target: MatrixTarget, source: Source, place: Place): Fate {
  const spoken = spokenTo(target, source)
  if (spoken === source) return 'kept'
  switch (target.marks) {
    case 'none':
      return 'lost'
    case 'cache_control':
      return place === 'top' && target.name === 'anthropic-compatible' ? 'lost' : 'kept'
    case 'breakpoint':
      // OpenAI caches up to the end of the prompt by itself, and takes no mark on tools; in Responses none on its own words.
      if (place === 'top') return 'by itself'
      return place === 'tool' || (place === 'assistant' && spoken === 'openai-responses') ? 'moved' : 'kept'
    default:
      return target.marks satisfies never
  }
}
