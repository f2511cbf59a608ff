import type { ChatMessage, ToolCall } from '../../domain/generation.ts'
import type { Hasher } from '../../domain/hasher.ts'
import { attachmentMarker } from './attachment-marker.ts'
import { attachmentKind } from './chat-segments.ts'
import type { Field } from './field.ts'

const roles = ['system', 'developer', 'user', 'assistant', 'tool'] as const

/**
 * A chat message as the model's template sees it. Text parts are joined by a line feed; attachments
 * stand among them as markers.
 *
 * @throws IncipitError naming the pointer of what is wrong
 */
export function chatMessage(message: Field, hasher: Hasher): ChatMessage {
  const role = message.object().get('role').oneOf(roles)
  const toolCalls = role === 'assistant' ? toolCallsOf(message) : []
  const name = message.find('name')?.string()
  const toolCallId = role === 'tool' ? message.find('tool_call_id')?.string() : undefined
  return {
    role,
    content: contentOf(message, toolCalls.length > 0, hasher),
    ...(name === undefined ? {} : { name }),
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
    ...(toolCallId === undefined ? {} : { toolCallId }),
  }
}

function contentOf(message: Field, callsTools: boolean, hasher: Hasher): string {
  const content = message.find('content')
  if (content === undefined) {
    // An assistant that called tools or refused may have said nothing.
    const refusal = message.find('refusal')
    if (refusal !== undefined) return refusal.string()
    return callsTools ? '' : message.get('content').string()
  }
  if (content.kind === 'string') return content.string()
  if (content.kind !== 'array') return content.fail('a string or an array of content parts')
  return content
    .elements()
    .map((part) => partText(part, hasher))
    .join('\n')
}

function partText(part: Field, hasher: Hasher): string {
  const type = part.object().get('type')
  const kind = attachmentKind(part)
  const typeName = type.string()
  if (kind !== undefined) return attachmentMarker(kind, part.get(typeName), hasher)
  if (typeName === 'text') return part.get('text').string()
  if (typeName === 'refusal') return part.get('refusal').string()
  return type.unsupported('only text, refusal, image_url, input_audio and file parts are supported')
}

function toolCallsOf(message: Field): ToolCall[] {
  const calls = message.find('tool_calls')?.elements() ?? []
  return calls.map((call) => {
    const called = call.object().get('function').object()
    const argumentsField = called.find('arguments')
    return {
      id: call.find('id')?.string() ?? '',
      name: called.get('name').string(),
      // Some clients send an object where the API has a string: its own bytes serve as well.
      arguments: argumentsField?.kind === 'object' ? argumentsField.raw : (argumentsField?.string() ?? '{}'),
    }
  })
}
