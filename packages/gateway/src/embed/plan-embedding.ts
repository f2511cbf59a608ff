import { passingEdits, splicePieces } from '@incipit/core'
import { dialects } from '../dialects.ts'
import type { AttemptPlan, PlanInput } from '../plan/plan-attempt.ts'
import { passedQuery } from '../plan/plan-attempt.ts'
import { upstreamHeaders } from '../plan/upstream-headers.ts'

/**
 * Plans one attempt of `POST /v1/embeddings`: the client's bytes, with the upstream's name of the model.
 * @example attemptUpstreams({ who, targets, house, passage, signal, plan: planEmbedding })
 */
export function planEmbedding({ who, target, trace = [] }: PlanInput): AttemptPlan {
  const dialect = dialects['openai-chat']
  const { root, version } = target.replica.endpoint
  const edits = passingEdits(who.prompt, { model: target.model, streamUsage: false, stripBillingBlock: false })
  return {
    dialect,
    path: `${root}${version}/embeddings${passedQuery(who.request)}`,
    headers: upstreamHeaders({ who, target, spoken: dialect.name, isolation: undefined, trace }),
    body: edits.length === 0 ? who.toSend() : splicePieces(who.toSend(), edits),
    translated: false,
    edits,
    warnings: [],
    hidesUsage: false,
    ownMarks: false,
  }
}
