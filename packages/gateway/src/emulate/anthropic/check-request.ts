import type { EmulatedRequest } from '../emulated-request.ts'
import { headerOf } from '../emulated-request.ts'
import type { JsonObject } from '../json.ts'
import { given, isObject, listOf, numberOf, objectOf, textOf } from '../json.ts'
import type { EmulatorOptions } from '../provider.ts'
import { Refusal } from '../refusal.ts'
import { checkMessages, checkSystem, checkTools } from './check-content.ts'
import type { AnthropicModel } from './models.ts'
import { findModel } from './models.ts'
import { betaFields, cacheRules, diagnosticsBeta, minThinkingBudget, stableFields } from './rules.ts'
import { refuse } from './wording.ts'

/**
 * Refuses what Anthropic refuses, and finds the model.
 * @throws Refusal 400 and 404 in the provider's words
 */
export function checkRequest(
  body: JsonObject,
  request: EmulatedRequest,
  options: EmulatorOptions & { readonly counting: boolean },
): AnthropicModel {
  checkFields(body, request, options)
  const id = textOf(body['model'])
  if (id === undefined)
    throw given(body['model']) ? refuse('wrongType', 'model', 'string') : refuse('required', 'model')
  if (!options.counting) checkMaxTokens(body)
  checkTools(body['tools'])
  checkSystem(body['system'])
  const model = findModel(id)
  if (model === undefined) throw new Refusal(404, `model: ${id}`, { type: 'not_found_error' })
  checkMessages(body, model)
  checkToolChoice(body)
  checkThinking(body, options.counting)
  checkOutputFormat(body)
  if (!options.counting) checkPrewarm(body, model)
  return model
}

/** Whether the answer thinks first. */
export function thinks(body: JsonObject): boolean {
  return ['enabled', 'adaptive'].includes(textOf(objectOf(body['thinking'])['type']) ?? '')
}

function checkFields(body: JsonObject, request: EmulatedRequest, options: EmulatorOptions): void {
  const betas = (headerOf(request, 'anthropic-beta') ?? '').split(',').map((beta) => beta.trim())
  const announced = (starts: readonly string[]): boolean =>
    betas.some((beta) => starts.some((start) => beta.startsWith(start)))
  for (const field of Object.keys(body)) {
    if (stableFields.value.includes(field)) continue
    if (field === 'diagnostics' && (options.diagnosticsNeedsBeta === false || announced([diagnosticsBeta.value])))
      continue
    if (announced(betaFields.value[field] ?? [])) continue
    throw refuse('extra', field)
  }
}

function checkMaxTokens(body: JsonObject): void {
  const most = body['max_tokens']
  if (!given(most)) throw refuse('required', 'max_tokens')
  if (!Number.isInteger(most)) throw refuse('wrongType', 'max_tokens', 'integer')
  if ((most as number) < 0) throw refuse('smallBudget', 'max_tokens', 0)
}

function checkToolChoice(body: JsonObject): void {
  const choice = body['tool_choice']
  if (!given(choice)) return
  const type = textOf(objectOf(choice)['type']) ?? ''
  if (!['auto', 'any', 'tool', 'none'].includes(type))
    throw refuse('oneOf', 'tool_choice.type', "'auto', 'any', 'tool' or 'none'")
  const tools = listOf(body['tools']).map(objectOf)
  if (tools.length === 0 && type !== 'none') throw refuse('choiceWithoutTools', 'tool_choice')
  const name = textOf(objectOf(choice)['name'])
  if (type !== 'tool') return
  if (name === undefined) throw refuse('required', 'tool_choice.tool.name')
  if (!tools.some((tool) => tool['name'] === name)) throw refuse('unknownTool', '', name)
}

function checkThinking(body: JsonObject, counting: boolean): void {
  const { thinking } = body
  if (!given(thinking)) return
  const { type, budget_tokens: budget } = objectOf(thinking)
  if (!['enabled', 'adaptive', 'disabled', 'between_tools'].includes(textOf(type) ?? '')) {
    throw refuse('oneOf', 'thinking.type', "'enabled', 'disabled', 'adaptive' or 'between_tools'")
  }
  if (thinks(body) && ['any', 'tool'].includes(textOf(objectOf(body['tool_choice'])['type']) ?? '')) {
    throw refuse('forcedWithThinking')
  }
  if (type === 'enabled')
    checkBudget(numberOf(budget), counting || body['max_tokens'] === 0 ? Infinity : numberOf(body['max_tokens']))
}

function checkBudget(tokens: number | undefined, maxTokens: number = Infinity): void {
  if (tokens === undefined) throw refuse('required', 'thinking.enabled.budget_tokens')
  if (tokens < minThinkingBudget.value)
    throw refuse('smallBudget', 'thinking.enabled.budget_tokens', minThinkingBudget.value)
  if (tokens >= maxTokens) throw refuse('budgetOverMax')
}

function checkOutputFormat(body: JsonObject): void {
  const format = objectOf(body['output_config'])['format'] ?? body['output_format']
  if (!given(format)) return
  if (objectOf(format)['type'] !== 'json_schema') throw refuse('oneOf', 'output_config.format.type', "'json_schema'")
  if (!isObject(objectOf(format)['schema'])) throw refuse('required', 'output_config.format.schema')
}

function checkPrewarm(body: JsonObject, model: AnthropicModel): void {
  const most = body['max_tokens'] as number // checked before
  if (most > model.maxOutputTokens) throw refuse('tooMuchOutput', 'max_tokens', most, model.maxOutputTokens)
  if (most > 0) return
  const used = {
    stream: body['stream'] === true,
    thinking: thinks(body),
    'output_config.format': given(objectOf(body['output_config'])['format']),
    tool_choice: ['any', 'tool'].includes(textOf(objectOf(body['tool_choice'])['type']) ?? ''),
  }
  const clash = cacheRules.prewarmExcludes.value.find((field) => used[field])
  if (clash !== undefined) throw refuse('prewarm', clash)
}
