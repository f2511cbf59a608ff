import { IncipitError } from '@incipit/core'
import { ConfigError } from '../config/config-error.ts'

/**
 * Prints why a command failed, in plain words, and makes the process exit with 1. A stack trace is for
 * those who ask for it: `--log-level debug` or `trace`.
 */
export function reportFailure(error: unknown, argv: readonly string[]): void {
  const level = argv[argv.indexOf('--log-level') + 1]
  const debugging = argv.includes('--log-level') && (level === 'debug' || level === 'trace')
  const inline = argv.some((argument) => /^--log-level=(debug|trace)$/.test(argument))
  process.stderr.write(`${debugging || inline ? stackOf(error) : failureMessage(error)}\n`)
  process.exitCode = 1
}

/** @example failureMessage(Object.assign(new Error(), { code: 'EADDRINUSE', port: 4141 })) */
export function failureMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof ConfigError) return error.message
  // A command line has no fields to correct.
  if (IncipitError.is(error))
    return error.code === 'invalid_request' ? error.message : `${error.message}. ${error.hint}`
  return systemMessage(error) ?? error.message
}

function systemMessage(error: NodeJS.ErrnoException & { port?: number; address?: string }): string | undefined {
  const at = error.port === undefined ? error.address : `port ${error.port}`
  const path = error.path
  const messages: Readonly<Record<string, string>> = {
    EADDRINUSE: `${at} is in use: stop the other program, or choose another with --port`,
    EADDRNOTAVAIL: `${error.address} is not an address of this machine: choose another with --host`,
    ENOTFOUND: 'the host name to listen on is not known: choose another with --host',
    EACCES: `${path ?? at} may not be used by this user`,
    EPERM: `${path ?? at} may not be used by this user`,
    ENOSPC: `no space left on the disk${path === undefined ? '' : ` for ${path}`}`,
  }
  return messages[error.code ?? '']
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
