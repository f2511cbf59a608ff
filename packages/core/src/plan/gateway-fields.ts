import { innerBlocks } from '../dialects/shared/anthropic/inner-blocks.ts'
import { partsOf } from '../dialects/shared/chat-segments.ts'
import type { Field } from '../dialects/shared/field.ts'
import { itemParts } from '../dialects/shared/responses/input-items.ts'
import type { Edit } from '../domain/edit.ts'
import type { Prompt } from '../domain/prompt.ts'
import type { JsonDocument, JsonNode } from '../json/json-document.ts'
import { leftOutRanges } from './left-out.ts'

const why = 'a field of the gateway, which no upstream knows'

/** The edits that take out what is for the gateway alone: its fields of the body, and labels wherever they may stand. */
export function gatewayFieldEdits(prompt: Prompt, root: Field): Edit[] {
  const { document } = root
  const top = (['incipit', 'prompt_cache_isolation_key'] as const).flatMap((name) => leftOutRanges(document, 0, name))
  // A label is a hole of some segment: most bodies have none, and need not be walked through.
  const holders = prompt.segments.some(({ holes }) => holes !== undefined) ? labelHolders(prompt, root) : []
  const labels = holders.flatMap((node) => leftOutRanges(document, node, 'incipit'))
  const replacement = new Uint8Array(0)
  return [...top, ...labels].map(({ start, end }) => ({ name: 'strip-gateway-field', start, end, replacement, why }))
}

/** Everything that may be labelled. What a tool is called with, and its schema, are the client's own: nothing is there. */
function labelHolders(prompt: Prompt, root: Field): JsonNode[] {
  const tools = ['tools', 'functions'].flatMap((name) => elementsOf(root, name))
  const rest = prompt.dialect === 'anthropic-messages' ? blockHolders(root) : messageHolders(prompt, root)
  return [...tools.map(({ node }) => node), ...rest].filter((node) => root.document.kind(node) === 'object')
}

function messageHolders(prompt: Prompt, root: Field): JsonNode[] {
  const ofResponses = prompt.dialect === 'openai-responses'
  return elementsOf(root, ofResponses ? 'input' : 'messages').flatMap((message) => {
    const parts = ofResponses ? itemParts(message) : partsOf(message)
    return [message.node, ...parts.map(({ node }) => node)]
  })
}

function blockHolders(root: Field): JsonNode[] {
  const messages = elementsOf(root, 'messages')
  const blocks = [elementsOf(root, 'system'), ...messages.map(partsOf)].flat()
  return [...messages.map(({ node }) => node), ...blocks.flatMap(({ node }) => withInner(root.document, node))]
}

function withInner(document: JsonDocument, block: JsonNode): JsonNode[] {
  return [block, ...innerBlocks(document, block).nodes.flatMap((node) => withInner(document, node))]
}

function elementsOf(root: Field, name: string): Field[] {
  const list = root.find(name)
  return list?.kind === 'array' ? list.elements() : []
}
