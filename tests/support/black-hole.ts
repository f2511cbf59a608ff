import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { connect } from 'node:net'

/** A port to which no connection comes about. */
export interface BlackHole {
  readonly url: string
  close(): void
}

/** Listens, and never takes a connection: a process that sleeps, and a queue that is full. */
const listener = `
const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})`

/** Opens a port on this machine that swallows every attempt to connect. */
export async function openBlackHole(): Promise<BlackHole> {
  const child = spawn(process.execPath, ['-e', listener], { stdio: ['ignore', 'pipe', 'ignore'] })
  const port = Number(
    await new Promise<string>((resolve) => child.stdout.once('data', (data) => resolve(String(data)))),
  )
  const waiting: Socket[] = []
  // The queue holds two or three: it is full once one of these does not get through.
  for (let tries = 0; tries < 32; tries++) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    waiting.push(socket)
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      setTimeout(() => resolve(false), 250)
    })
    if (!connected) break
  }
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      for (const socket of waiting) socket.destroy()
      child.kill('SIGKILL')
    },
  }
}
