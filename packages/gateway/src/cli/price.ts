import type { EpochMs } from '@incipit/core'
import { epochMs, IncipitError } from '@incipit/core'
import type { Command } from 'commander'
import { Argument, InvalidArgumentError } from 'commander'
import { instantOf } from '../prices/build-plan.ts'
import { LayeredPrices } from '../prices/layered-prices.ts'
import { loadCommandConfig } from './load-command-config.ts'
import { showDifferences } from './price-diff.ts'
import type { PlanFlags } from './price-plan.ts'
import { showPlan } from './price-plan.ts'
import type { ShowFlags } from './price-show.ts'
import { showPrices } from './price-show.ts'
import type { CommandContext } from './program.ts'

/** The flags that all price commands share. */
export interface PriceFlags {
  readonly config?: string
  readonly at?: string
  readonly json?: boolean
}

/** What the price commands work with. */
export interface PriceDesk {
  readonly book: LayeredPrices
  readonly at: EpochMs
}

/** Adds `incipit price show|diff|plan` to the command line. */
export function registerPrice(program: Command, context: CommandContext): void {
  const price = program.command('price').description('what models cost, and what caching would save')
  withPriceFlags(
    price
      .command('show')
      .description('prices with their source and date; * marks those in force')
      .addArgument(new Argument('[model]', 'a model; left out: all of our table and of prices.file'))
      .option('--provider <name>', 'only those of this provider')
      .option('--upstream <name>', 'only those that prices.file has for this upstream'),
  ).action(async (model: string | undefined, flags: PriceFlags & ShowFlags) =>
    print(showPrices(await open(flags, context), { ...flags, model })),
  )
  withPriceFlags(
    price.command('diff').description('where prices.file, our table and genai-prices say different things'),
  ).action(async (flags: PriceFlags) => print(showDifferences(await open(flags, context), flags)))
  withPlanFlags(
    withPriceFlags(price.command('plan').description('what caching would save, and when it would not')),
  ).action(async (flags: PlanFlags) => print(showPlan(await open(flags, context), flags)))
}

function withPriceFlags(command: Command): Command {
  return command
    .option('--at <day>', 'a day as YYYY-MM-DD, or an instant (default: now)')
    .option('--config <file>', 'configuration file (default: incipit.yaml, if present)')
    .option('--json', 'print data as JSON')
}

function withPlanFlags(command: Command): Command {
  return command
    .option('--provider <name>', 'whose price list applies')
    .option('--upstream <name>', 'an upstream that prices.file prices by its name')
    .option('--model <name>', 'the model')
    .option('--service-tier <name>', 'batch, flex, priority and the like')
    .requiredOption('--tokens <number>', 'tokens that requests share at their beginning; required', number('--tokens'))
    .option(
      '--requests <number>',
      'how many requests (default: those of a day, with --per-hour or --gap-seconds)',
      number('--requests'),
    )
    .option('--per-hour <number>', 'requests per hour, at random', number('--per-hour'))
    .option('--gap-seconds <number>', 'seconds between two requests, always the same', number('--gap-seconds'))
    .option('--varying-tokens <number>', 'tokens of each request behind the shared ones', number('--varying-tokens'))
    .option('--output-tokens <number>', 'tokens of each answer', number('--output-tokens'))
    .option('--changed-share <share>', 'part of the requests that begin differently, 0 to 1', number('--changed-share'))
    .option('--pattern <name>', 'template, upload or retrieval')
    .option('--min-tokens <number>', 'shortest prefix that is cached', number('--min-tokens'))
    .option('--ttl <life>', 'look at this life only: 5m, 30m, 1h or 12h')
    .option('--input-price <usd>', 'USD per million tokens, instead of a listed price')
    .option('--read-price <usd>', 'the same for tokens that are read')
    .option('--write-price <usd>', 'the same for tokens that are written (default: as input)')
    .option('--output-price <usd>', 'the same for answers')
    .option('--storage-price <usd>', 'USD per million tokens and hour')
    .option(
      '--org-shared-hit-rate <share>',
      'a cache of answers in front answers this part, 0 to 1',
      number('--org-shared-hit-rate'),
    )
    .option(
      '--provider-saving <share>',
      'what prefix caching takes off the rest (default: what this plan saves)',
      number('--provider-saving'),
    )
    .option('--overhead <share>', 'what that cache costs itself, of what no cache would cost', number('--overhead'))
}

function number(flag: string): (text: string) => number {
  return (text) => {
    const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : NaN
    if (!Number.isNaN(value)) return value
    throw new InvalidArgumentError(`${flag} must be a number, got "${text}"`)
  }
}

async function open({ config, at }: PriceFlags, context: CommandContext): Promise<PriceDesk> {
  const { prices } = await loadCommandConfig(config === undefined ? {} : { config }, context)
  return { book: new LayeredPrices(prices.rows, fail), at: at === undefined ? epochMs(Date.now()) : instantOf(at) }
}

/** A command has nothing else to go on with. */
function fail(cause: unknown): never {
  throw new IncipitError('internal', 'the price list of @pydantic/genai-prices cannot be read', { cause })
}

function print(text: string): void {
  process.stdout.write(text)
}
