#!/usr/bin/env node
import { CommanderError } from 'commander'
import { buildProgram } from './program.ts'
import { reportFailure } from './report-failure.ts'

const program = buildProgram({ env: process.env, cwd: process.cwd() })
try {
  await program.parseAsync(process.argv)
} catch (error) {
  // Commander has printed its own message, help or version already.
  if (error instanceof CommanderError) process.exitCode = error.exitCode
  else reportFailure(error, process.argv)
}
