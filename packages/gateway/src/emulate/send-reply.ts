import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import type { BodyEncoder } from './body-encoder.ts'
import { bodyEncoder } from './body-encoder.ts'
import type { FaultSpec } from './fault.ts'
import type { Frame, Reply } from './reply.ts'

/** How an answer leaves: the parts of a fault that concern the wire. */
export type WireFault = Pick<
  FaultSpec,
  'delay_head_ms' | 'delay_event_ms' | 'drop' | 'stall' | 'endless' | 'encoding' | 'crlf' | 'split_every'
>

/** Why sending ended early; the response has been dealt with. */
class Ended extends Error {}

/** Sends an answer as a fault wants it. Resolves when it is out, when it was dropped, or when the client left. */
export async function sendReply(response: ServerResponse, reply: Reply, fault: WireFault = {}): Promise<void> {
  const left = new AbortController()
  response.once('close', () => left.abort())
  try {
    if (fault.delay_head_ms !== undefined) await wait(fault.delay_head_ms, undefined, { signal: left.signal })
    await before('before-head', fault, response)
    await sendBody({ response, fault, left: left.signal, sent: 0, encoder: await begin(response, reply, fault) }, reply)
  } catch (error) {
    if (!(error instanceof Ended) && !left.signal.aborted) throw error
  }
}

/** Everything one sending needs to know. */
interface Sending {
  readonly response: ServerResponse
  readonly fault: WireFault
  readonly left: AbortSignal
  readonly encoder: BodyEncoder | undefined
  /** Bytes of the body that have been written, before encoding. */
  sent: number
}

async function begin(response: ServerResponse, reply: Reply, fault: WireFault): Promise<BodyEncoder | undefined> {
  const { content } = reply
  const encoder = fault.encoding === undefined ? undefined : bodyEncoder(fault.encoding)
  const length =
    content.kind === 'body' && encoder === undefined
      ? { 'content-length': String(Buffer.byteLength(content.text)) }
      : {}
  const encoding = encoder === undefined ? {} : { 'content-encoding': encoder.name }
  response.writeHead(reply.status, { ...reply.headers, ...encoding, ...length })
  response.flushHeaders()
  reply.onBegun?.()
  return encoder
}

async function sendBody(sending: Sending, { content }: Reply): Promise<void> {
  if (content.kind === 'body') await write(sending, Buffer.from(content.text))
  else await sendFrames(sending, content.frames)
  const rest = await sending.encoder?.end()
  if (rest !== undefined) await writeBytes(sending, rest)
  await new Promise<void>((resolve) => void sending.response.end(resolve))
}

async function sendFrames(sending: Sending, frames: readonly Frame[]): Promise<void> {
  const { fault, left } = sending
  for (const frame of frames) {
    await sendFrame(sending, frame)
    if (fault.endless !== true || frame.part !== 'content') continue
    // One piece of content for ever; a turn of the loop in between, so that others are served.
    for (;;) {
      await wait(fault.delay_event_ms ?? 1, undefined, { signal: left })
      await sendFrame(sending, frame)
    }
  }
}

async function sendFrame(sending: Sending, frame: Frame): Promise<void> {
  const { fault, left } = sending
  if (fault.delay_event_ms !== undefined && sending.sent > 0)
    await wait(fault.delay_event_ms, undefined, { signal: left })
  const end = fault.crlf === true ? '\r\n' : '\n'
  const event = frame.event === undefined ? '' : `event: ${frame.event}${end}`
  await write(sending, Buffer.from(`${event}data: ${frame.data}${end}${end}`))
}

/** Writes plain bytes of the body, up to where a fault ends or stops it. */
async function write(sending: Sending, bytes: Buffer): Promise<void> {
  const { fault } = sending
  const limit = Math.min(bytesBefore(fault.drop), bytesBefore(fault.stall))
  const allowed = bytes.subarray(0, Math.max(0, limit - sending.sent))
  sending.sent += allowed.length
  const encoded = sending.encoder === undefined ? allowed : await sending.encoder.write(allowed)
  await writeBytes(sending, encoded)
  if (sending.sent >= limit) await before(limit, fault, sending.response)
}

function bytesBefore(limit: FaultSpec['drop']): number {
  return typeof limit === 'number' ? limit : Infinity
}

async function writeBytes({ response, fault, left }: Sending, bytes: Buffer): Promise<void> {
  const size = fault.split_every ?? bytes.length
  for (let start = 0; start < bytes.length; start += size) {
    const flushed = response.write(bytes.subarray(start, start + size))
    if (!flushed) await once(response, 'drain', { signal: left })
    else if (fault.split_every !== undefined) await nextTurn(undefined, { signal: left })
    if (left.aborted) throw new Ended()
  }
}

/** Drops or stalls where the fault says so. */
async function before(place: 'before-head' | number, fault: WireFault, response: ServerResponse): Promise<void> {
  if (fault.drop === place) {
    // What was written has to leave first: the client is to see exactly so many bytes.
    if (response.headersSent) await nextTurn()
    response.socket?.destroySoon()
    throw new Ended()
  }
  if (fault.stall === place) {
    if (!response.destroyed) await once(response, 'close')
    throw new Ended()
  }
}
