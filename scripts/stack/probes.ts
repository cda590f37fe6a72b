import { connect, type Socket } from 'node:net'

const probeMs = 2000

/** A TCP address, as in `127.0.0.1:9092`. */
export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Connects, sends `request` and returns the first answer that `complete` finds whole; without a request the connection is enough.
 * @param silenceMsMax how long nothing may come before an answer is whole; 2 s unless told otherwise
 * @throws Error when nothing listens, or no whole answer comes in time
 */
export function ask(
  address: Address,
  request?: Buffer,
  complete?: (answer: Buffer) => boolean,
  silenceMsMax = probeMs,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ ...address, timeout: silenceMsMax })
    let answer = Buffer.alloc(0)
    const done = () => {
      socket.destroy()
      resolve(answer)
    }
    const fail = (reason: string) => {
      socket.destroy()
      reject(new Error(`${address.host}:${address.port} ${reason}`))
    }
    socket.once('connect', () => (request === undefined ? done() : socket.write(request)))
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      if (complete?.(answer)) done()
    })
    socket.once('timeout', () => fail('does not answer'))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      fail(`cannot be reached (${error.code ?? error.message})`),
    )
    socket.once('close', () => fail('closed the connection'))
  })
}

/**
 * The status that the URL answers with.
 * @throws Error when there is no answer within 2 s
 */
export async function httpStatus(url: string): Promise<number> {
  const response = await fetch(url, { signal: AbortSignal.timeout(probeMs) })
  await response.body?.cancel()
  return response.status
}

/** True when the URL answers with a success. */
export async function httpOk(url: string): Promise<boolean> {
  return (await httpStatus(url)) === 200
}

/**
 * Sends one command without arguments that need quoting to a Redis and returns the raw answer.
 * @param answerMsMax 2 s unless told otherwise: enough to learn whether it is well
 */
export async function redisCommand(
  address: Address,
  command: string,
  answerMsMax = probeMs,
): Promise<string> {
  const whole = (answer: Buffer) => answer.toString('latin1').endsWith('\r\n')
  return (await ask(address, Buffer.from(`${command}\r\n`), whole, answerMsMax)).toString('utf8')
}
