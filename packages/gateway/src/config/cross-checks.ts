import { isIPv4 } from 'node:net'
import { checkUpstreams } from './check-upstreams.ts'
import { claimedNames } from './claimed-names.ts'
import type { ConfigSettings } from './config.ts'
import { repeated } from './repeated.ts'
import type { ConfigPath } from './schema.ts'

/** What no single field can tell. */
export interface CrossChecks {
  readonly problems: readonly { readonly path: ConfigPath; readonly text: string }[]
  readonly warnings: readonly string[]
}

const advisedKeyLength = 16

/** @example crossCheck(settings).problems */
export function crossCheck(settings: ConfigSettings): CrossChecks {
  const { server, keys, engine } = settings
  const problems: { path: ConfigPath; text: string }[] = []
  if (keys.length === 0 && !isLoopback(server.host)) {
    const text = `"${server.host}" can be reached from elsewhere and no keys are configured; add keys, or use 127.0.0.1`
    problems.push({ path: ['server', 'host'], text })
  }
  for (const index of repeated(keys.map(({ key }) => key))) {
    problems.push({ path: ['keys', index, 'key'], text: 'the same key stands above' })
  }
  for (const index of repeated(keys.map(({ name }) => name))) {
    const text = `a key above is named "${keys[index]?.name}" too; key names must be unique over all organisations`
    problems.push({ path: ['keys', index, 'name'], text })
  }
  for (const index of repeated(settings.orgs.map(({ name }) => name))) {
    problems.push({ path: ['orgs', index, 'name'], text: `"${settings.orgs[index]?.name}" stands above` })
  }
  problems.push(...claimedNames(engine.models))
  const { eventsDays, summariesDays } = settings.retention
  if (summariesDays !== null && (eventsDays === null || eventsDays > summariesDays)) {
    const text = `${summariesDays} days, but single events stay for ${eventsDays ?? 'ever'}: sums cannot go before them`
    problems.push({ path: ['retention', 'summaries_days'], text })
  }
  const warnings = keys
    .filter(({ key }) => key.length < advisedKeyLength)
    .map(({ name, key }) => `key "${name}" has ${key.length} characters; at least ${advisedKeyLength} are advised`)
  const upstreams = checkUpstreams(settings)
  return { problems: [...problems, ...upstreams.problems], warnings: [...warnings, ...upstreams.warnings] }
}

/** @example isLoopback('127.0.0.1') // true */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}
