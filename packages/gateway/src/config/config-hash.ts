import { createHash } from 'node:crypto'
import type { ConfigSettings } from './config.ts'

const hidden = '***'

/**
 * The settings with the values of secrets replaced, for hashing and for showing.
 * @example JSON.stringify(maskSecrets(config))
 */
export function maskSecrets<Settings extends ConfigSettings>(settings: Settings): Settings {
  return {
    ...settings,
    secret: settings.secret === undefined ? undefined : hidden,
    keys: settings.keys.map((key) => ({ ...key, key: hidden })),
  }
}

/** SHA-256 over the effective settings without the values of secrets: 64 hex digits. */
export function configHash(settings: ConfigSettings): string {
  return createHash('sha256')
    .update(JSON.stringify(maskSecrets(settings)))
    .digest('hex')
}
