import { loadNative } from '../native/load-native.ts'
import type { EngineConfig } from '../engine.ts'
import { EngineHost } from './engine-host.ts'
import type { EngineCall, FromEngine, ToEngine } from './protocol.ts'
import { toWire } from './protocol.ts'
import { defaultHangMs } from './watchdog.ts'

let running = false
const host = new EngineHost((events) => send({ kind: 'events', events }))

// Without its server nobody can ask for anything any more.
process.on('disconnect', () => process.exit(0))
// Ctrl+C reaches the whole group; the server decides when this process ends.
process.on('SIGINT', () => undefined)
process.on('message', (message) => receive(message as ToEngine)) // only our own parent is at the other end

function receive(message: ToEngine): void {
  switch (message.kind) {
    case 'start':
      start(message.config).catch(endWithError)
      break
    case 'generate':
      host.generate(message.request, message.at)
      break
    case 'cancel':
      host.cancel(message.id)
      break
    case 'call':
      answer(message.call, message, message.at).catch(endWithError)
      break
    case 'ping':
      send({ kind: 'alive' })
      break
    case 'close':
      if (!running) process.exit(0)
      host.close()
      break
  }
}

async function start(config: EngineConfig): Promise<void> {
  const load = loadNative()
  if (load.kind === 'unavailable') return sendLast({ kind: 'unavailable', reason: load.reason })
  try {
    await host.load(load.native, config)
  } catch (error) {
    return sendLast({ kind: 'refused', message: error instanceof Error ? error.message : String(error) })
  }
  send({ kind: 'ready', models: host.models.map(({ info }) => info) })
  running = true
  setInterval(() => endWhenOverdue(config.hangMs ?? defaultHangMs), 1_000).unref()
  await host.run()
  process.exit(0)
}

async function answer(call: number, question: EngineCall, at: number): Promise<void> {
  try {
    send({ kind: 'answer', call, answer: await host.answer(question, at) })
  } catch (error) {
    send({ kind: 'no-answer', call, error: toWire(error) })
  }
}

/** A batch that never ends holds a thread that no `exit` can end. */
function endWhenOverdue(hangMs: number): void {
  const overdue = host.overdue(hangMs)
  if (overdue === undefined) return
  process.stderr.write(`${overdue}\n`, () => process.kill(process.pid, 'SIGKILL'))
}

/** A broken context cannot be mended: the server starts a new process. */
function endWithError(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`, () => process.exit(1))
}

/** Ends the process once the message has left. */
function sendLast(message: FromEngine): void {
  process.send?.(message, () => process.exit(0))
}

function send(message: FromEngine): void {
  process.send?.(message)
}
