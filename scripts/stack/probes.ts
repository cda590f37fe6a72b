import { connect, type Socket } from 'node:net'

const probeMs = 2000

/** A TCP address, as in `127.0.0.1:9092`. */
export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Connects, sends `request` and returns the first response that `complete` accepts. Without a request, the connection
 * is enough.
 * @param silenceMsMax the longest silence before a response is complete; default 2 s
 * @throws Error when nothing listens, or no complete response arrives in time
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
 * The status of the response from the URL.
 * @throws Error when there is no response within 2 s
 */
export async function httpStatus(url: string): Promise<number> {
  const response = await fetch(url, { signal: AbortSignal.timeout(probeMs) })
  await response.body?.cancel()
  return response.status
}

/** Whether the URL responds with success. */
export async function httpOk(url: string): Promise<boolean> {
  return (await httpStatus(url)) === 200
}

/** Where a Redis listens, and its password if it has one. */
interface RedisAddress extends Address {
  readonly password?: string | undefined
}

/**
 * Sends Redis one command whose arguments need no quoting, and returns the raw response.
 * @param answerMsMax default 2 s, which is enough for a health check
 */
export async function redisCommand(
  { host, port, password }: RedisAddress,
  command: string,
  answerMsMax = probeMs,
): Promise<string> {
  const login = password === undefined ? '' : `AUTH ${password}\r\n`
  // The response to AUTH is one line, which comes first.
  const afterLogin = (answer: Buffer) => answer.toString('utf8').replace(login === '' ? '' : /^.*?\r\n/, '')
  const whole = (answer: Buffer) => afterLogin(answer).endsWith('\r\n')
  return afterLogin(await ask({ host, port }, Buffer.from(`${login}${command}\r\n`), whole, answerMsMax))
}
