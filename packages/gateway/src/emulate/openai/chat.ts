import type { AnsweredChat } from '../chat/answer-chat.ts'
import { answerChat } from '../chat/answer-chat.ts'
import { chatPrompt } from '../chat/chat-prompt.ts'
import type { ChatCompletion, Part } from '../chat/render-chat.ts'
import { renderChat, renderChatStream } from '../chat/render-chat.ts'
import type { EmulatedRequest } from '../emulated-request.ts'
import { jsonBodyOf } from '../emulated-request.ts'
import { objectOf, textOf } from '../json.ts'
import type { Reply } from '../reply.ts'
import { jsonReply, streamReply } from '../reply.ts'
import { checkChat } from './check-chat.ts'
import type { OpenAiState } from './openai-state.ts'
import type { CachedTokens } from './prompt-cache.ts'
import { lookUp } from './prompt-cache.ts'
import { attachmentTokens } from './rules.ts'

/** How both APIs count what is not text. */
export const promptOptions: { readonly imageTokens: (detail: string) => number; readonly attachmentTokens: number } = {
  imageTokens: (detail) => (detail === 'low' ? attachmentTokens.value.low : attachmentTokens.value.other),
  attachmentTokens: attachmentTokens.value.file,
}

/** `POST /v1/chat/completions`. @throws Refusal */
export function chat(state: OpenAiState, request: EmulatedRequest, org: string): Reply {
  const body = jsonBodyOf(request)
  const model = checkChat(body)
  const prompt = chatPrompt(body, promptOptions)
  const switches = [
    textOf(body['service_tier']) ?? 'auto',
    textOf(body['reasoning_effort']) ?? '',
    textOf(body['verbosity']) ?? '',
  ]
  const { usage, commit } = lookUp(state, { body, prompt, model, org, switches, now: request.receivedAt })
  const { counts, ...answered } = answerChat(body, request, prompt.sequence)
  const completion: ChatCompletion = {
    ...answered,
    usage: chatUsage(counts, usage),
    extra: { service_tier: 'default', system_fingerprint: 'fp_emulator' },
  }
  const includeUsage = objectOf(body['stream_options'])['include_usage'] === true
  const reply =
    body['stream'] === true
      ? streamReply(renderChatStream(completion, { includeUsage }))
      : jsonReply(200, renderChat(completion))
  return { ...reply, onBegun: commit }
}

function chatUsage(counts: AnsweredChat['counts'], { cached, written }: CachedTokens): Part {
  const write = written === undefined ? {} : { cache_write_tokens: written }
  return {
    ...counts,
    prompt_tokens_details: { cached_tokens: cached, ...write, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}
