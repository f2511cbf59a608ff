import type { Scopes } from '../keys/scopes.ts'
import type { Limits } from '../limits/limits.ts'
import type { LocalRules, PriceRow } from '@incipit/core'
import type { UpstreamSettings } from './upstream-settings.ts'

/** Where and how the gateway listens. */
export interface ServerSettings {
  /** Address to listen on; anything but loopback requires keys. */
  readonly host: string
  /** TCP port; 0 = any free one. */
  readonly port: number
  /** Largest request body, in bytes. */
  readonly maxBodyBytes: number
  /** Largest request head, in bytes. */
  readonly maxHeaderBytes: number
  /** Connections open at the same time. */
  readonly maxConnections: number
  /** Seconds a client may take to send a whole request. */
  readonly requestTimeoutSeconds: number
  /** Seconds answers may still take after a shutdown began. */
  readonly shutdownSeconds: number
  /** Seconds readiness fails before the listener closes, so that load balancers look elsewhere. */
  readonly drainSeconds: number
}

/** A key that callers present. */
export interface KeySettings {
  /** The key itself: never logged, never shown. */
  readonly key: string
  readonly org: string
  /** What ledger and messages call the key. */
  readonly name: string
  readonly role: 'member' | 'admin'
  readonly limits?: Limits | undefined
  readonly scopes?: Scopes | undefined
  /** Milliseconds since 1970; `undefined` = never. */
  readonly expires?: number | undefined
}

/** What all keys of an organisation may use together. */
export interface OrgSettings {
  readonly name: string
  readonly limits: Limits
}

/** One local model. */
export interface ModelSettings {
  readonly name: string
  /** Absolute path of a GGUF file, or `builtin:demo`. */
  readonly path: string
  /** Globs of further names it answers to; `*` matches any characters. */
  readonly aliases: readonly string[]
  /** Context length in tokens; `undefined` = what the model was trained for, as far as the budget allows. */
  readonly contextTokens: number | undefined
  /** Whose rules its cache is counted by. */
  readonly rules: LocalRules
  /** How many instances, each with a KV cache of its own; sessions are spread over them. */
  readonly instances: number
}

/** The local engine. Byte budgets are over all models. */
export interface EngineSettings {
  readonly enabled: boolean
  readonly threads: 'auto' | number
  /** `off` = cached and cold prompts give the same bits; `auto` = off for tiny models. */
  readonly flashAttention: 'auto' | 'on' | 'off'
  /** Live KV, in bytes. */
  readonly hotBytes: 'auto' | number
  /** Blocks kept in RAM, in bytes; 0 = none. */
  readonly ramBytes: number
  /** Blocks kept on disk, in bytes; 0 = none. */
  readonly diskBytes: number
  /** Below this many shared tokens nothing is reused and 0 is reported. */
  readonly minCachedTokens: number
  /** Requests generating at the same time. */
  readonly maxConcurrent: number
  /** Requests waiting for a place; one more is refused as `overloaded`. */
  readonly maxQueued: number
  /** Without a sign of life for this long the engine process is ended and started again. */
  readonly hangSeconds: number
  /** The first one also serves names that nothing claims, unless `strictModels`. */
  readonly models: readonly ModelSettings[]
}

/** What models cost, beyond what Incipit knows. */
export interface PriceSettings {
  /** Absolute path; `undefined` = none. */
  readonly file: string | undefined
  /** What stands in it. */
  readonly rows: readonly PriceRow[]
}

/** What is done for caches; `false` anywhere above switches off what is below. */
export interface WorkflowCacheSettings {
  readonly enabled: boolean
  readonly providerPrefixOptimization: { readonly enabled: boolean }
}

/** What is told of requests beyond the ledger. */
export interface TelemetrySettings {
  /** Metrics and spans name the organisation. */
  readonly orgLabel: boolean
  /** Metrics of local models also under the names that vLLM gives them. */
  readonly vllmNames: boolean
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** What `incipit.yaml`, the environment and the flags can set, with every default filled in. */
export interface ConfigSettings {
  readonly server: ServerSettings
  /** Absolute path of the folder for the ledger, the secret and the built-in model. */
  readonly dataDir: string
  /** Keys the hashes of scopes and sessions; `undefined` = the one in `dataDir/secret`. */
  readonly secret: string | undefined
  /** None = open to everyone who reaches the address. */
  readonly keys: readonly KeySettings[]
  readonly orgs: readonly OrgSettings[]
  /** Refuse model names that nothing claims, instead of serving them with the first model. */
  readonly strictModels: boolean
  /** Only `apply` changes what is sent in order to make caches work; the others send what the client sent. */
  readonly mode: 'observe' | 'advise' | 'apply'
  /** Ask upstreams for usage in streams, and hide it from clients that did not ask. */
  readonly injectStreamUsage: boolean
  /** In the order in which their `models` are tried. */
  readonly upstreams: readonly UpstreamSettings[]
  readonly workflowCache: WorkflowCacheSettings
  /** Of the sessions, the part that is served as without Incipit, to compare with: 0 to 1. */
  readonly controlFraction: number
  readonly engine: EngineSettings
  readonly prices: PriceSettings
  /** `null` = SQLite in `dataDir`; else a PostgreSQL database, whose password is a secret. */
  readonly store: { readonly url: string | null }
  readonly retention: RetentionSettings
  readonly log: { readonly level: LogLevel }
  readonly telemetry: TelemetrySettings
}

/** How long the ledger keeps what it has, in days; `null` = for good. */
export interface RetentionSettings {
  readonly eventsDays: number | null
  readonly summariesDays: number | null
}

/** The effective configuration of a running gateway. */
export interface Config extends ConfigSettings {
  /** Counts the configurations of this process, from 1; every ledger row carries it. */
  readonly generation: number
  /** SHA-256 of the effective configuration without the values of its secrets, hex. */
  readonly hash: string
}
