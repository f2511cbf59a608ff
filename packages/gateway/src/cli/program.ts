import { Command } from 'commander'
import type { Environment } from '../config/environment-references.ts'
import { registerBench } from './bench-engine.ts'
import { runCheck } from './check.ts'
import { runDoctor } from './doctor.ts'
import { registerEmulate } from './emulate.ts'
import { runInit } from './init.ts'
import { registerKeys } from './keys.ts'
import { registerPrice } from './price.ts'
import { runServe } from './serve.ts'
import { registerSimulate } from './simulate.ts'
import { version } from './version.ts'

/** What the commands take from the process they run in. */
export interface CommandContext {
  readonly env: Environment
  readonly cwd: string
}

/** The flags that several commands share, as commander gives them. */
export interface ConfigOptions {
  readonly config?: string
  readonly host?: string
  readonly port?: string
  readonly dataDir?: string
  readonly model?: readonly string[]
  readonly strictModels?: boolean
  readonly logLevel?: string
  readonly json?: boolean
}

/**
 * The command line `incipit`.
 * @example await buildProgram({ env: process.env, cwd: process.cwd() }).parseAsync(process.argv)
 */
export function buildProgram(context: CommandContext): Command {
  const program = new Command('incipit')
    .description('The prompt-caching layer for large language models.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(incipit --help shows what is possible)')
  const serve = withConfigOptions(
    program.command('serve', { isDefault: true }).description('start the gateway (default)'),
  )
    .option('--test-clock', 'allow POST /admin/clock, to test lives and TTLs without waiting')
    // What names no command is handed to the default one, which would complain about its arguments.
    .allowExcessArguments()
    .action((options: ConfigOptions & { testClock?: boolean }, { args }: Command) => {
      refuseArguments(program, args)
      return runServe(options, context)
    })
  program.addHelpText('after', () => flagsOf(serve))
  program
    .command('init')
    .description('write a commented incipit.yaml')
    .option('--config <file>', 'file to write', 'incipit.yaml')
    .option('--force', 'replace the file if it is there')
    .action((options: { config: string; force?: boolean }) => runInit(options, context))
  withConfigOptions(
    program.command('check').description('validate the configuration and print what is in effect'),
  ).action((options: ConfigOptions) => runCheck(options, context))
  withConfigOptions(
    program
      .command('doctor')
      .description('check this machine: Node, engine, data directory, budgets, store, and the way to upstreams'),
  ).action((options: ConfigOptions) => runDoctor(options, context))
  registerKeys(program, context)
  registerPrice(program, context)
  registerEmulate(program)
  registerBench(program, context)
  registerSimulate(program)
  // What names no command at all is the default one's: `incipit --help` shows its flags.
  for (const command of program.commands) if (command !== serve) hintAtHelp(command, `incipit ${command.name()}`)
  return program
}

function withConfigOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: incipit.yaml, if present)')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'port to listen on; 0 = any free one')
    .option('--data-dir <folder>', 'folder for ledger, secret, built-in model and cached state')
    .option('--model <[name=]path>', 'GGUF file or builtin:demo to serve; repeatable', append)
    .option('--strict-models', 'refuse model names that nothing claims')
    .option('--log-level <level>', 'fatal, error, warn, info, debug, trace or silent')
    .option('--json', 'print data as JSON')
}

/** A mistake in a command points to that command's own flags. */
function hintAtHelp(command: Command, path: string): void {
  command.showHelpAfterError(`(${path} --help shows what is possible)`)
  for (const child of command.commands) hintAtHelp(child, `${path} ${child.name()}`)
}

/** @throws CommanderError, after commander has printed the message */
function refuseArguments(program: Command, [first]: readonly string[]): void {
  if (first === undefined) return
  if (program.args[0] === 'serve') program.error(`error: serve takes flags only, got "${first}"`)
  const names = program.commands.map((command) => command.name()).join(', ')
  program.error(`error: unknown command "${first}"; the commands are ${names}`)
}

/** The flags of a command, laid out like a section of commander's help. */
function flagsOf(command: Command): string {
  const help = command.createHelp()
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help')
  const width = Math.max(...options.map(({ flags }) => flags.length))
  const lines = options.map((option) => `  ${option.flags.padEnd(width)}  ${help.optionDescription(option)}`)
  return `\nOptions of ${command.name()}:\n${lines.join('\n')}`
}

function append(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value]
}
