import type { Warning } from '../../domain/warning.ts'

/**
 * A warning for each setting that the client gave and the target has no word for.
 * @example notCarried([['top_k', settings.topK]], 'chat')
 */
export function notCarried(settings: readonly (readonly [name: string, value: unknown])[], target: string): Warning[] {
  return settings
    .filter(([, value]) => value !== undefined)
    .map(([where]) => ({ code: 'field_not_carried', where, detail: `${target} has no such setting` }))
}
