import type { SessionId } from '@incipit/core'
import type { LedgerEvent } from '../ledger/port.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Target } from '../route/route.ts'

/** A port: follows prompts through the house. It sees rows of the ledger and names, never the text of a prompt. */
export interface Tracing {
  /** A prompt has arrived at this path of the table of routes. */
  begin(exchange: Exchange, path: string): PromptTrace
  /** Sends what is left. */
  close(): Promise<void>
}

/** One prompt on its way; the calls of models below it come one after the other. */
export interface PromptTrace {
  /** The model is about to be called. @returns headers for the upstream, names and values in turn; none unless it is to have them */
  calling(call: { readonly target: Target; readonly session: SessionId; readonly stream: boolean }): readonly string[]
  /** The call under way led to no answer. */
  callFailed(failure: { readonly status: number; readonly errorCode: string | undefined }): void
  /** What the request came to, as the ledger has it; ends the call under way. */
  metered(event: LedgerEvent): void
  /** The answer is complete, or is not to come. */
  end(outcome: { readonly status: number; readonly errorCode: string | undefined }): void
}

const noHeaders: readonly string[] = []

/** Follows nothing. */
export const noTrace: PromptTrace = {
  calling: () => noHeaders,
  callFailed: () => undefined,
  metered: () => undefined,
  end: () => undefined,
}

/** Where nobody wants to know. */
export const noTracing: Tracing = { begin: () => noTrace, close: () => Promise.resolve() }
