import { ownMember } from './own-member.ts'
import type { RawUsage } from './usage-scan.ts'

const tierName = Buffer.from('"service_tier"')

/**
 * The service tier an answer names beside its usage, as OpenAI and those that followed it do.
 * @example serviceTierIn(Buffer.from('{"id":"c1","service_tier":"flex"}')) // 'flex'
 */
export function serviceTierIn(bytes: Buffer): string | undefined {
  return bytes.includes(tierName) ? ownMember(bytes, 'service_tier') : undefined
}

/**
 * The service tier that a usage object itself names, as Anthropic's do; its fast mode has a price of its own.
 * @example serviceTierOf({ service_tier: 'standard', speed: 'fast' }) // 'fast'
 */
export function serviceTierOf({ service_tier: tier, speed }: RawUsage): string | undefined {
  const named = speed === 'fast' ? speed : tier
  return typeof named === 'string' && tierForm.test(named) ? named : undefined
}

const tierForm = /^[\w.:-]{1,64}$/
