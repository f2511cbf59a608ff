import { IncipitError } from '../../domain/errors.ts'
import type { Breakpoint, Profile, PromptIdentity } from '../../domain/prompt.ts'
import type { Field } from './field.ts'

/** The model: the path's where it names one, else the body's. */
export function modelOf(root: Field, pathModel: string | undefined): string {
  const model = pathModel ?? root.get('model').string()
  if (model !== '') return model
  throw new IncipitError('invalid_request', '/model is an empty string, expected the name of a model', {
    param: '/model',
  })
}

export function streamOf(root: Field): boolean {
  return root.find('stream')?.boolean() ?? false
}

/** Ids of a body that can name a session. Metadata belongs to the client: only a string counts there. */
export function identityOf(root: Field): PromptIdentity {
  const conversation = root.find('conversation')
  const metadata = root.find('metadata')
  const metadataUser = metadata?.kind === 'object' ? metadata.find('user_id') : undefined
  return {
    promptCacheKey: root.find('prompt_cache_key')?.string(),
    conversation: (conversation?.kind === 'object' ? conversation.find('id') : conversation)?.string(),
    user: root.find('user')?.string(),
    metadataUserId: metadataUser?.kind === 'string' ? metadataUser.string() : undefined,
  }
}

const lives = ['5m', '30m', '1h', '12h'] as const

/** `prompt_cache_options.ttl`, where it is a life that any provider offers. */
export function cacheTtlOf(root: Field): Breakpoint['ttl'] | undefined {
  const options = root.find('prompt_cache_options')
  const ttl = options?.kind === 'object' ? options.find('ttl') : undefined
  const text = ttl?.kind === 'string' ? ttl.string(lives) : undefined
  return lives.find((life) => life === text)
}

/** A wrong type is an error here: an isolation key that is passed over would share what must not be shared. */
export function isolationKeyOf(root: Field): string | undefined {
  return root.find('prompt_cache_isolation_key')?.string()
}

/** The switches among `names` that the body sets, as raw JSON text. */
export function profileOf(root: Field, names: readonly string[]): Profile {
  const profile: Record<string, string> = {}
  for (const name of names) {
    const field = root.find(name)
    if (field !== undefined) profile[name] = field.raw
  }
  return profile
}
