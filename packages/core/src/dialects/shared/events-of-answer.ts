import type { Answer, AnswerBlock, AnswerEvent } from '../../domain/answer.ts'

/**
 * A whole answer as the events of a stream that would have given it.
 * @example [...eventsOfAnswer(answer)]
 */
export function* eventsOfAnswer(answer: Answer): Generator<AnswerEvent, void> {
  const { id, model, usage, stop, stopSequence } = answer
  yield { kind: 'start', id, model, usage }
  let calls = 0
  for (const block of answer.blocks) {
    yield* eventsOfBlock(block, calls)
    if (block.kind === 'tool-call') calls += 1
  }
  yield { kind: 'finish', stop, stopSequence, usage }
}

function* eventsOfBlock(block: AnswerBlock, index: number): Generator<AnswerEvent, void> {
  switch (block.kind) {
    case 'text':
      yield { kind: 'text-delta', text: block.text, logprobs: block.logprobs }
      return
    case 'refusal':
      yield { kind: 'refusal-delta', text: block.text }
      return
    case 'thinking':
      yield { kind: 'thinking-delta', text: block.text }
      if (block.signature !== undefined) yield { kind: 'thinking-signature', signature: block.signature }
      return
    case 'redacted-thinking':
      yield block
      return
    case 'tool-call':
      yield { kind: 'tool-start', index, id: block.id, name: block.name }
      yield { kind: 'tool-delta', index, json: block.arguments }
      return
    default:
      block satisfies never
  }
}
