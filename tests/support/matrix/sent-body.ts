import type { SentRequest } from '../recording-upstream.ts'
import type { Place } from './bodies.ts'

/** Parsed JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** A cache mark in a body that left the socket. */
export interface SentMark {
  readonly at: Place | 'elsewhere'
  readonly ttl: string | undefined
}

/** The body that an upstream received. */
export function jsonOf({ body }: SentRequest): Json {
  return JSON.parse(body.toString('utf8')) as Json // parsed JSON is nothing else
}

/** Whether anything in a value holds all members of `wanted`; texts and numbers must be equal. */
export function holds(value: Json, wanted: Json): boolean {
  return fits(value, wanted) || childrenOf(value).some((child) => holds(child, wanted))
}

/** Whether a value has all that `wanted` says, at the same place. */
export function fits(value: Json | undefined, wanted: Json): boolean {
  if (value === undefined) return false
  if (typeof wanted !== 'object' || wanted === null) return Object.is(value, wanted)
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(value) &&
      value.length === wanted.length &&
      wanted.every((entry: Json, index) => fits((value as readonly Json[])[index], entry))
    )
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(wanted).every(([name, entry]) => fits((value as Record<string, Json>)[name], entry))
}

/** All marks of a body, in the order in which they stand in it. */
export function marksOf(body: Json): SentMark[] {
  const found: SentMark[] = []
  collect(body, true, false, found)
  return found
}

function collect(value: Json, isRoot: boolean, inResult: boolean, found: SentMark[]): void {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) {
    const record = value as Record<string, Json>
    const mark = record['cache_control'] ?? record['prompt_cache_breakpoint']
    const within = inResult || isResult(record)
    if (mark !== undefined && mark !== null) {
      const ttl = (mark as Record<string, Json>)['ttl']
      found.push({
        at: isRoot ? 'top' : placeOf(record, within),
        ttl: typeof ttl === 'string' ? ttl : undefined,
      })
    }
    for (const child of Object.values(record)) collect(child, false, within, found)
    return
  }
  for (const child of value as readonly Json[]) collect(child, false, inResult, found)
}

function isResult({ role, type }: Record<string, Json>): boolean {
  return role === 'tool' || type === 'tool_result' || type === 'function_call_output'
}

function placeOf(holder: Record<string, Json>, inResult: boolean): SentMark['at'] {
  if (inResult) return 'result'
  const { text } = holder
  if (text === 'sys-two') return 'system'
  if (text === 'user-one') return 'user'
  if (text === 'assistant-one') return 'assistant'
  return fits(holder, { name: 'find' }) || fits(holder, { function: { name: 'find' } }) ? 'tool' : 'elsewhere'
}

function childrenOf(value: Json): readonly Json[] {
  if (typeof value !== 'object' || value === null) return []
  return Array.isArray(value) ? (value as readonly Json[]) : Object.values(value)
}
