/**
 * A configuration that cannot be used. The message is ready for people: file, line, what was found,
 * what is allowed; never the value of a secret.
 *
 * @example throw new ConfigError('server.host is 0.0.0.0 and no keys are configured')
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
