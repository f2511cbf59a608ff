import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { GatewayOptions } from './ask-gateway.ts'
import { askGateway } from './ask-gateway.ts'
import type { CommandContext } from './program.ts'

interface CommonFlags {
  readonly url?: string
  readonly json?: boolean
}

interface CreateFlags extends CommonFlags {
  readonly name: string
  readonly org: string
  readonly role?: string
  readonly models?: readonly string[]
  readonly upstreams?: readonly string[]
  readonly endpoints?: readonly string[]
  readonly expires?: string
  readonly rpm?: number
  readonly tpm?: number
  readonly parallel?: number
  readonly usdPerDay?: number
  readonly usdPerMonth?: number
  readonly usdTotal?: number
}

/** What of a key a person is shown. */
interface ShownKey {
  readonly id: string
  readonly name: string
  readonly org: string
  readonly role: string
  readonly key?: string
  readonly hint?: string
  readonly disabled: boolean
  readonly expires_at: string | null
  readonly last_used_at?: string | null
}

/** Adds `incipit keys create|list|rotate|revoke` to the command line: they ask a gateway that runs. */
export function registerKeys(program: Command, context: CommandContext): void {
  const keys = program
    .command('keys')
    .description('virtual keys of a gateway that runs: make, list, rotate, revoke; INCIPIT_KEY is the key of an admin')
  common(keys.command('create').description('make a key; it is shown once'))
    .requiredOption('--name <name>', 'what ledger and messages call the key')
    .requiredOption('--org <org>', 'organisation of the key')
    .addOption(new Option('--role <role>', 'an admin sees all organisations').choices(['member', 'admin']))
    .option('--models <globs>', 'models it may use, with commas between', list)
    .option('--upstreams <names>', 'upstreams it may use, with commas between', list)
    .option('--endpoints <kinds>', 'data, control or both', list)
    .option('--expires <when>', 'a time such as 2027-01-31, or a life such as 30d, 12h, 90m', expiry)
    .option('--rpm <number>', 'requests a minute', amount)
    .option('--tpm <number>', 'tokens a minute', amount)
    .option('--parallel <number>', 'requests at the same time', amount)
    .option('--usd-per-day <usd>', 'budget of a day', amount)
    .option('--usd-per-month <usd>', 'budget of a month', amount)
    .option('--usd-total <usd>', 'budget for good', amount)
    .action((flags: CreateFlags) => create(flags, context))
  common(keys.command('list').description('list the keys, those of the configuration first'))
    .option('--org <org>', 'of this organisation only')
    .action((flags: CommonFlags & { org?: string }) => showList(flags, context))
  common(keys.command('rotate <id>').description('give a key another secret; it is shown once'))
    .option('--grace <seconds>', 'how long the old one stays valid (0)', amount)
    .action((id: string, flags: CommonFlags & { grace?: number }) => rotate(id, flags, context))
  common(keys.command('revoke <id>').description('refuse a key from now on, for good')).action(
    (id: string, flags: CommonFlags) => revoke(id, flags, context),
  )
}

function common(command: Command): Command {
  return command
    .option('--url <url>', 'address of the gateway (INCIPIT_URL, else http://127.0.0.1:4141)')
    .option('--json', 'print what the gateway answered')
}

async function create(flags: CreateFlags, context: CommandContext): Promise<void> {
  const { name, org, role, models, upstreams, endpoints, expires } = flags
  const body = {
    name,
    org,
    role,
    scopes: { models, upstreams, endpoints },
    limits: {
      rpm: flags.rpm,
      tpm: flags.tpm,
      parallel: flags.parallel,
      usd_per_day: flags.usdPerDay,
      usd_per_month: flags.usdPerMonth,
      usd_total: flags.usdTotal,
    },
    expires_at: expires,
  }
  printSecret(await ask(flags, context, { method: 'POST', path: '/v1/keys', body }), flags)
}

async function rotate(id: string, flags: CommonFlags & { grace?: number }, context: CommandContext): Promise<void> {
  const body = { grace_seconds: flags.grace }
  printSecret(
    await ask(flags, context, { method: 'POST', path: `/v1/keys/${encodeURIComponent(id)}/rotate`, body }),
    flags,
  )
}

async function revoke(id: string, flags: CommonFlags, context: CommandContext): Promise<void> {
  const answer = await ask(flags, context, { method: 'DELETE', path: `/v1/keys/${encodeURIComponent(id)}` })
  print(flags, answer, () => `revoked: ${String(answer['name'])} (${id})`)
}

async function showList(flags: CommonFlags & { org?: string }, context: CommandContext): Promise<void> {
  const all: ShownKey[] = []
  let after: string | undefined
  do {
    const query = new URLSearchParams({ limit: '1000' })
    if (flags.org !== undefined) query.set('org', flags.org)
    if (after !== undefined) query.set('after', after)
    const page = await ask(flags, context, { method: 'GET', path: `/v1/keys?${query.toString()}` })
    all.push(...(page['data'] as readonly ShownKey[])) // as the API documents it
    after = typeof page['next_after'] === 'string' ? page['next_after'] : undefined
  } while (after !== undefined)
  print(flags, { object: 'list', data: all }, () => table(all))
}

function ask(
  { url }: CommonFlags,
  { env }: CommandContext,
  request: Omit<GatewayOptions, 'url' | 'key'>,
): Promise<Readonly<Record<string, unknown>>> {
  const at = url ?? env['INCIPIT_URL'] ?? 'http://127.0.0.1:4141'
  return askGateway({ url: at, key: env['INCIPIT_KEY'], ...request })
}

function printSecret(answer: Readonly<Record<string, unknown>>, flags: CommonFlags): void {
  const { id, name, key } = answer as unknown as ShownKey // as the API documents it
  print(flags, answer, () => `${key}\n\nkey of "${name}" (${id}); it is shown this once`)
}

function print(flags: CommonFlags, answer: unknown, text: () => string): void {
  process.stdout.write(`${flags.json === true ? JSON.stringify(answer, null, 2) : text()}\n`)
}

function table(keys: readonly ShownKey[]): string {
  const rows = keys.map(({ id, name, org, role, hint, disabled, expires_at: expires, last_used_at: used }) => [
    id,
    name,
    org,
    role,
    hint ?? 'configuration',
    disabled ? 'disabled' : expires === null ? 'active' : `until ${expires}`,
    used ?? '-',
  ])
  const all = [['ID', 'NAME', 'ORGANISATION', 'ROLE', 'KEY', 'STATE', 'LAST USED'], ...rows]
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function amount(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (Number.isFinite(value)) return value
  throw new InvalidArgumentError(`it must be a number, got "${text}"`)
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A life counts from now; a time stays as it is, for the gateway to check. */
function expiry(text: string): string {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  if (count === undefined || unit === undefined) return text
  return new Date(Date.now() + Number(count) * (unitMs[unit] ?? 0)).toISOString()
}
