import type { Caller } from '../authenticate/authenticate.ts'
import type { House } from '../house.ts'
import type { GroupKey, SummaryInterval, SummaryQuery } from '../ledger/port.ts'
import type { ControlQuery } from './control-query.ts'
import { badParameter, quoted } from './control-query.ts'
import { eventFilterFrom, timeZoneOf } from './event-filter.ts'

/** The parameters that say how totals are divided. */
export const divisionParameters = ['group_by', 'interval', 'limit'] as const

/** All rows of an answer come from the store at once: many more would hold up others for too long. */
const rowLimits = { least: 1, most: 5_000, otherwise: 1_000 }
const mostGroupKeys = 4
const groupKeys: readonly GroupKey[] = [
  'org',
  'key',
  'session',
  'model',
  'served_model',
  'upstream',
  'provider',
  'dialect',
  'verdict',
  'cause',
  'prefix',
  'control',
  'reuse',
  'service_tier',
]
const intervals: readonly SummaryInterval[] = ['none', 'hour', 'day', 'week', 'month']

/**
 * What a query asks the ledger to add up, narrowed to what the caller may see.
 * @throws IncipitError `invalid_request`, `forbidden`
 */
export function summaryQuestion(query: ControlQuery, caller: Caller, house: House): SummaryQuery {
  return {
    filter: eventFilterFrom(query, caller, house),
    groupBy: groupKeysFrom(query.find('group_by')),
    interval: query.choice('interval', intervals) ?? 'none',
    timeZone: timeZoneOf(query),
    limit: query.wholeNumber('limit', rowLimits),
  }
}

function groupKeysFrom(text: string | undefined): GroupKey[] {
  if (text === undefined) return []
  const names = text.split(',').map((name) => name.trim())
  if (names.length > mostGroupKeys) {
    throw badParameter('group_by', `group_by names ${names.length} keys, ${mostGroupKeys} allowed`)
  }
  const keys = names.map((name) => {
    const key = groupKeys.find((one) => one === name)
    if (key !== undefined) return key
    throw badParameter('group_by', `group_by names ${quoted(name)}, known are ${groupKeys.join(', ')}`)
  })
  const repeated = keys.find((key, index) => keys.indexOf(key) !== index)
  if (repeated === undefined) return keys
  throw badParameter('group_by', `group_by names ${repeated} twice, once is allowed`)
}
