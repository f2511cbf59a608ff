import type { Conversation, Dialect, DialectName, Edit, Prompt, Warning } from '@incipit/core'
import {
  bodyAsksForUsage,
  IncipitError,
  passingEdits,
  repairMarks,
  splice,
  splicePieces,
  stripMarks,
  withoutBillingBlock,
  withSaltText,
} from '@incipit/core'
import { dialectNamed } from '../dialects.ts'
import type { House } from '../house.ts'
import type { Identified } from '../passage.ts'
import type { UpstreamTarget } from '../route/route.ts'
import { promptPath } from '../upstreams/base-url.ts'
import { defaultPaths, noMarks } from '../upstreams/kinds.ts'
import { belowMinimum } from './below-minimum.ts'
import { markRulesOf } from './cache-rules-of.ts'
import { isolationFor } from './isolation.ts'
import { upstreamHeaders } from './upstream-headers.ts'

/** What is sent in one attempt, and why it is not what the client sent. */
export interface AttemptPlan {
  /** The dialect spoken with the upstream. */
  readonly dialect: Dialect
  readonly path: string
  readonly headers: string[]
  /** In pieces, in order; whoever sends it takes them out of the list. */
  readonly body: Uint8Array[]
  /** Whether the body was written anew from another dialect. */
  readonly translated: boolean
  /** Changes to the client's bytes, in order; undoing them gives those back. None where `translated`. */
  readonly edits: readonly Edit[]
  readonly warnings: readonly Warning[]
  /** Usage was asked for on the client's behalf and has to be hidden from it again. */
  readonly hidesUsage: boolean
  /** The body carries cache marks that are not where the client put them. */
  readonly ownMarks: boolean
}

/** What a plan is made from. */
export interface PlanInput {
  readonly who: Identified
  readonly target: UpstreamTarget
  readonly house: House
  /** Leave out every mark: the upstream has refused those that we moved or translated. */
  readonly withoutMarks?: boolean
  /** Headers that continue a trace: names and values in turn. */
  readonly trace?: readonly string[]
}

/**
 * Plans one attempt: which dialect, which bytes, which headers. Marks and fields depend on the upstream, so a
 * failover plans anew (D-36).
 *
 * @throws IncipitError when the body cannot be read for a translation, or the organisation has no credential there
 * @example const plan = planAttempt({ who, target, house })
 */
export function planAttempt(input: PlanInput): AttemptPlan {
  const { who, target, house, trace = [] } = input
  const dialect = dialectFor(target, who.prompt.dialect)
  const isolation = isolationFor(who, target, house)
  if (who.subpath !== undefined && dialect.name !== who.prompt.dialect) {
    throw new IncipitError('unsupported_feature', `upstream "${target.upstream.name}" has nothing like ${who.subpath}`)
  }
  const path = pathOf(dialect.name, who, target)
  const headers = upstreamHeaders({ who, target, spoken: dialect.name, isolation: isolation.header, trace })
  const sent = dialect.name === who.prompt.dialect ? pass(input, isolation) : translate(input, dialect, isolation)
  const short = sent.takesMarks ? belowMinimum(who.prompt, target, house.clock.now()) : []
  return { dialect, path, headers, ...sent, warnings: [...isolation.warnings, ...sent.warnings, ...short] }
}

type Isolation = ReturnType<typeof isolationFor>
type Sent = Pick<AttemptPlan, 'body' | 'translated' | 'edits' | 'warnings' | 'hidesUsage' | 'ownMarks'> & {
  /** The client's marks have a meaning for the upstream. */
  readonly takesMarks: boolean
}

/** The upstream speaks the client's dialect: its bytes, with the edits that are needed. */
function pass(input: PlanInput, isolation: Isolation): Sent {
  const { who, target, house, withoutMarks } = input
  const { prompt } = who
  const asks = streamUsageWanted(prompt, prompt.dialect, target, house)
  const edits = passingEdits(prompt, {
    model: target.model,
    streamUsage: asks,
    stripBillingBlock: stripsBillingBlock(input),
    isolationField: isolation.field,
    saltText: isolation.saltText,
  })
  const marks =
    prompt.dialect === 'anthropic-messages' && optimises(house, who)
      ? settledMarks(prompt, withoutMarks === true, edits)
      : { edits: [], warnings: [] }
  const all = merge(edits, marks.edits)
  return {
    body: all.length === 0 ? who.toSend() : splicePieces(who.toSend(), all),
    translated: false,
    edits: all,
    warnings: marks.warnings,
    hidesUsage: asks && edits.some(({ name }) => name === 'inject-usage'),
    ownMarks: marks.edits.length > 0,
    takesMarks: withoutMarks !== true,
  }
}

/** Marks that were refused although they had been made legal are no better as the client wrote them: none is sent. */
function settledMarks(
  prompt: Prompt,
  withoutMarks: boolean,
  edits: readonly Edit[],
): Pick<AttemptPlan, 'edits' | 'warnings'> {
  if (withoutMarks) return { edits: stripMarks(prompt), warnings: [] }
  return repairMarks(
    prompt,
    edits.filter(({ name }) => name === 'strip-billing-block'),
  )
}

/** The upstream speaks another one: the body is written anew, deterministically. */
function translate(input: PlanInput, dialect: Dialect, isolation: Isolation): Sent {
  const { who, target, house, withoutMarks } = input
  const read = dialectNamed(who.prompt.dialect).read(who.prompt)
  const stripped = stripsBillingBlock(input) ? withoutBillingBlock(read) : read
  const conversation = isolation.saltText === undefined ? stripped : withSaltText(stripped, isolation.saltText)
  const asks = streamUsageWanted(who.prompt, dialect.name, target, house)
  const settings = asks ? { ...conversation.settings, includeUsage: true } : conversation.settings
  const rules = withoutMarks === true ? noMarks : markRulesOf(target, dialect.name, house.clock.now())
  const marks = { ...rules, automatic: rules.automatic && optimises(house, who) }
  const written = dialect.write({ ...conversation, settings }, { model: target.model, marks })
  const parsed = isolation.field === undefined ? undefined : dialect.parse(written.body, {})
  const edits =
    parsed === undefined
      ? []
      : passingEdits(parsed, {
          model: target.model,
          streamUsage: false,
          stripBillingBlock: false,
          isolationField: isolation.field,
        })
  return {
    body: [edits.length === 0 ? written.body : splice(written.body, edits)],
    translated: true,
    edits: [],
    warnings: [...read.warnings, ...written.warnings],
    hidesUsage: false,
    ownMarks: rules.field !== 'none' && hasMarks(conversation),
    takesMarks: rules.field !== 'none',
  }
}

function pathOf(
  dialect: DialectName,
  { request, subpath }: Identified,
  { replica, upstream, model }: UpstreamTarget,
): string {
  const path = `${upstream.kind.paths[dialect] ?? defaultPaths[dialect]}${subpath ?? ''}`
  return promptPath(replica.endpoint, dialect, path, model) + passedQuery(request)
}

/** The query of a request as it goes on: `?beta=true` and the like; a key in it was for us. */
export function passedQuery({ url = '' }: Pick<Identified['request'], 'url'>): string {
  const query = url.indexOf('?')
  return query === -1 ? '' : withoutKey(url.slice(query))
}

/**
 * A query without the key of the caller, which is ours or goes in a header.
 * @example withoutKey('?beta=true&key=sk-1') // '?beta=true'
 */
export function withoutKey(query: string): string {
  if (!query.includes('key=')) return query
  const parameters = new URLSearchParams(query)
  parameters.delete('key')
  return parameters.size === 0 ? '' : `?${parameters.toString()}`
}

/** The client's dialect where the upstream speaks it, else the one it speaks best. */
function dialectFor({ upstream }: UpstreamTarget, wanted: DialectName): Dialect {
  const name = upstream.speaks.includes(wanted) ? wanted : upstream.speaks.find((spoken) => spoken !== 'workers-ai')
  if (name !== undefined) return dialectNamed(name)
  throw new IncipitError(
    'unsupported_feature',
    `upstream "${upstream.name}" speaks no dialect that ${wanted} can be put into`,
  )
}

/** Optimising edits: off for a request, in the modes that only look, and by configuration. */
function optimises(house: House, who: Identified): boolean {
  return house.config.optimises && who.prefixCache === 'on'
}

function stripsBillingBlock({ who, target, house }: PlanInput): boolean {
  const { settings, kind } = target.upstream
  if (settings.stripBillingBlock !== 'auto') return settings.stripBillingBlock === 'always'
  return kind.stripsBillingBlock && house.config.optimises && !who.control
}

function streamUsageWanted(prompt: Prompt, spoken: DialectName, target: UpstreamTarget, house: House): boolean {
  if (!prompt.stream || spoken !== 'openai-chat' || !target.upstream.kind.asksForStreamUsage) return false
  return house.config.injectStreamUsage && !(prompt.dialect === 'openai-chat' && bodyAsksForUsage(prompt))
}

function hasMarks({ tools, turns, cache }: Conversation): boolean {
  return (
    cache.automatic !== undefined ||
    tools.some(({ mark }) => mark !== undefined) ||
    turns.some(({ blocks }) => blocks.some(({ mark }) => mark !== undefined))
  )
}

/** Two ascending lists as one; where they touch the same bytes, the first one's edit stands. */
function merge(first: readonly Edit[], second: readonly Edit[]): Edit[] {
  let at = 0
  const free = second.filter(({ start, end }) => {
    while ((first[at]?.end ?? Infinity) <= start) at++
    return (first[at]?.start ?? Infinity) >= end
  })
  return [...first, ...free].sort((a, b) => a.start - b.start || a.end - b.end)
}
