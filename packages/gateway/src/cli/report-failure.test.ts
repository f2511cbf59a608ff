import { IncipitError } from '@incipit/core'
import { expect, test } from 'vitest'
import { ConfigError } from '../config/config-error.ts'
import { failureMessage } from './report-failure.ts'

test('a failure to start is one plain line', () => {
  const system = (fields: object): string => failureMessage(Object.assign(new Error('raw'), fields))
  expect(system({ code: 'EADDRINUSE', port: 4141 })).toBe(
    'port 4141 is in use: stop the other program, or choose another with --port',
  )
  expect(system({ code: 'EACCES', port: 80 })).toBe('port 80 may not be used by this user')
  expect(system({ code: 'EACCES', path: '/data' })).toBe('/data may not be used by this user')
  expect(system({ code: 'EADDRNOTAVAIL', address: '10.9.9.9' })).toContain('10.9.9.9 is not an address of this machine')
  expect(system({ code: 'ENOSPC', path: '/data/x' })).toBe('no space left on the disk for /data/x')
  expect(system({ code: 'EOTHER' })).toBe('raw')
})

test('our own errors keep their words, and the hint of the error table', () => {
  expect(failureMessage(new ConfigError('port is wrong'))).toBe('port is wrong')
  expect(failureMessage(new IncipitError('engine_unavailable', 'no engine'))).toMatch(/^no engine\. Install the engine/)
  expect(failureMessage(new IncipitError('invalid_request', 'at must be a day'))).toBe('at must be a day')
})
