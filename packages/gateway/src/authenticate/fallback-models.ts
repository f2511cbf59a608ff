const asMember = Buffer.from('"models"')
/** How the letters of that name begin where they are written as escapes; nobody but an attacker does. */
const escapes = [Buffer.from('\\u006'), Buffer.from('\\u007')]

/**
 * The models that a body names beside its own, to be tried when that one fails: `models`, as OpenRouter takes it.
 * @example fallbackModels(Buffer.from('{"model":"a","models":["b"]}')) // ['b']
 */
export function fallbackModels(body: Uint8Array): string[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  // Bodies are large, and hardly any of them has that member.
  if (!bytes.includes(asMember) && !escapes.some((escape) => bytes.includes(escape))) return []
  const { models } = JSON.parse(bytes.toString('utf8')) as { readonly models?: unknown } // an object: it was read before
  const names = Array.isArray(models) ? (models as unknown[]) : [models]
  return names.filter((name) => typeof name === 'string')
}
