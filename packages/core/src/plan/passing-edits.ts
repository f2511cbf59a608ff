import { bodyOf } from '../dialects/shared/scanned.ts'
import type { Field } from '../dialects/shared/field.ts'
import type { Edit } from '../domain/edit.ts'
import type { Prompt, Span } from '../domain/prompt.ts'
import { billingBlockEdit } from './billing-block.ts'
import { gatewayFieldEdits } from './gateway-fields.ts'
import { saltTextEdit } from './salt-text.ts'

/** What a body of the upstream's own dialect needs before it is sent; everything left out changes nothing. */
export interface PassingNeeds {
  /** The model as the upstream calls it. */
  readonly model: string
  /** Ask for usage in a Chat stream that does not. */
  readonly streamUsage: boolean
  /** Take out Claude Code's changing first system block. */
  readonly stripBillingBlock: boolean
  /** A top-level field to be set, in place of the client's: keeps caches of organisations apart. */
  readonly isolationField?: { readonly name: string; readonly value: string } | undefined
  /** A text to begin the prompt with, where the upstream has no other isolation. */
  readonly saltText?: string | undefined
}

const encoder = new TextEncoder()

/**
 * The edits that make a client's body fit for an upstream of the same dialect. With nothing to do there is
 * none, and the upstream receives the client's own bytes.
 *
 * @example splice(prompt.body, passingEdits(prompt, needs))
 */
export function passingEdits(prompt: Prompt, needs: PassingNeeds): Edit[] {
  const root = bodyOf(prompt)
  const stripped = needs.stripBillingBlock ? billingBlockEdit(prompt, root) : []
  // What stands in a block that goes as a whole goes with it.
  const isGone = ({ start, end }: Span): boolean => stripped.some((edit) => edit.start <= start && end <= edit.end)
  const edits = [
    ...gatewayFieldEdits(prompt, root).filter((edit) => !isGone(edit)),
    ...modelEdit(prompt, root, needs.model),
    ...(needs.streamUsage ? streamUsageEdit(root) : []),
    ...stripped,
    ...(needs.isolationField === undefined ? [] : isolationEdits(root, needs.isolationField)),
    ...(needs.saltText === undefined ? [] : saltTextEdit({ prompt, root, salt: needs.saltText, isGone })),
  ]
  return edits.sort((a, b) => a.start - b.start || a.end - b.end)
}

/**
 * Whether a Chat body asks for usage in its stream by itself: then nothing is asked for or hidden.
 * @example bodyAsksForUsage(prompt)
 */
export function bodyAsksForUsage(prompt: Prompt): boolean {
  return asksForUsage(bodyOf(prompt))
}

function asksForUsage(root: Field): boolean {
  const options = root.find('stream_options')
  const wanted = options?.kind === 'object' ? options.find('include_usage') : undefined
  return wanted?.kind === 'boolean' && wanted.boolean()
}

function modelEdit(prompt: Prompt, root: Field, model: string): Edit[] {
  if (model === prompt.model) return []
  const field = root.find('model')
  // Workers AI names the model in the path.
  if (field === undefined) return []
  const { start, end } = field.span
  const replacement = encoder.encode(JSON.stringify(model))
  return [{ name: 'rename-model', start, end, replacement, why: 'the upstream knows the model by another name' }]
}

function streamUsageEdit(root: Field): Edit[] {
  if (asksForUsage(root)) return []
  const why = 'usage is metered also where the client did not ask for it'
  const edit = (start: number, end: number, text: string): Edit[] => [
    { name: 'inject-usage', start, end, replacement: encoder.encode(text), why },
  ]
  const { document } = root
  const options = document.find(root.node, 'stream_options')
  if (options === undefined)
    return edit(root.span.start + 1, root.span.start + 1, '"stream_options":{"include_usage":true},')
  if (document.kind(options) !== 'object') {
    // Anything but null is the upstream's to refuse.
    if (document.kind(options) !== 'null') return []
    return edit(document.start(options), document.end(options), '{"include_usage":true}')
  }
  const included = document.find(options, 'include_usage')
  if (included !== undefined) return edit(document.start(included), document.end(included), 'true')
  const inside = document.start(options) + 1
  const comma = document.members(options).length === 0 ? '' : ','
  return edit(inside, inside, `"include_usage":true${comma}`)
}

/** A field that is repeated is set each time: not every parser takes the last one. */
function isolationEdits(root: Field, { name, value }: { readonly name: string; readonly value: string }): Edit[] {
  const { document } = root
  const why = 'keeps the cached prefixes of organisations apart'
  const json = JSON.stringify(value)
  const edit = (start: number, end: number, text: string): Edit => {
    return { name: 'isolate', start, end, replacement: encoder.encode(text), why }
  }
  if (document.find(root.node, name) === undefined) {
    const at = root.span.start + 1
    return [edit(at, at, `${JSON.stringify(name)}:${json},`)]
  }
  return document
    .members(root.node)
    .filter(({ key }) => document.isText(key, name))
    .map(({ value: node }) => edit(document.start(node), document.end(node), json))
}
