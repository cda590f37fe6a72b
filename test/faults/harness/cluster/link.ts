import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * A network fault. `cut`: connections break, and new ones fail or are refused. `delay`: every piece is late. `half-open`: the
 * connection stays open, and nothing gets through. `drop-replies`: requests get through, and the connection breaks
 * before the reply does.
 */
export type Trouble = 'cut' | 'delay' | 'half-open' | 'drop-replies'

export const troubles: readonly Trouble[] = ['cut', 'delay', 'half-open', 'drop-replies']

const delayMs = 300
/** How often a link that refuses looks at its target. */
const followMs = 50

/** Rewrites the replies of one connection, which arrive in pieces of any size. */
export type Translate = (bytes: Buffer) => Buffer

/** The only path between two parts of the system: a TCP proxy that can be put into trouble. */
export class Link {
  /** For example `writer-1→broker-2`. */
  readonly name: string
  trouble: Trouble | undefined
  readonly #target: number
  readonly #translator: () => Translate
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  #port = 0
  #refuses = false
  #isClosed = false
  #following: Promise<void> = Promise.resolve()

  private constructor(name: string, target: number, translator: () => Translate) {
    this.name = name
    this.#target = target
    this.#translator = translator
    this.#server = createServer((client) => this.#accept(client))
  }

  /** @param target a port of this machine. @param translator creates one for each connection */
  static async open(
    name: string,
    target: number,
    translator: () => Translate = () => (bytes) => bytes,
  ): Promise<Link> {
    const link = new Link(name, target, translator)
    await link.#listen()
    link.#port = (link.#server.address() as AddressInfo).port
    return link
  }

  /**
   * A link that refuses connections while it is cut and while its target does, as the port of an ended process.
   * @param port a port that no other process gets meanwhile
   */
  static refusing(name: string, target: number, port: number): Link {
    const link = new Link(name, target, () => (bytes) => bytes)
    link.#port = port
    link.#refuses = true
    link.#following = link.#follow()
    return link
  }

  get port(): number {
    return this.#port
  }

  suffer(trouble: Trouble): void {
    this.trouble = trouble
    if (trouble !== 'cut') return
    if (this.#refuses && this.#server.listening) this.#server.close()
    this.#each((connection) => connection.end())
  }

  /** A connection that has lost data ends: TCP has no gaps. */
  heal(): void {
    this.trouble = undefined
    this.#each((connection) => connection.endIfTorn())
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#following
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#each((connection) => connection.end())
    await closed
  }

  #listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    this.#server.once('error', reject)
    this.#server.listen(this.#port, '127.0.0.1', () => resolve(undefined))
    return promise.finally(() => this.#server.removeListener('error', reject))
  }

  async #follow(): Promise<void> {
    while (!this.#isClosed) {
      const isOpen = await accepts(this.#target)
      if (this.#server.listening && !isOpen) this.#server.close()
      // If another process has the port for a moment, the next look tries again.
      if (!this.#server.listening && isOpen && this.trouble !== 'cut') {
        await this.#listen().catch(() => undefined)
      }
      await pause(followMs)
    }
  }

  #accept(client: Socket): void {
    if (this.trouble === 'cut') {
      client.destroy()
      return
    }
    const server = connect(this.#target, '127.0.0.1')
    const connection = new Connection(client, server, this.#translator(), () => this.trouble)
    this.#connections.add(connection)
    void connection.ended.then(() => this.#connections.delete(connection))
  }

  #each(act: (connection: Connection) => void): void {
    for (const connection of [...this.#connections]) act(connection)
  }
}

/** Whether a process listens at a port. A frozen one does, even if it takes no more connections. */
async function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
  const isOpen = await Promise.race([promise, pause(followMs, true)])
  socket.destroy()
  return isOpen
}

class Connection {
  readonly ended: Promise<void>
  readonly #sockets: readonly Socket[]
  readonly #trouble: () => Trouble | undefined
  #isTorn = false
  #isOver: () => void = () => undefined

  constructor(client: Socket, server: Socket, translate: Translate, trouble: () => Trouble | undefined) {
    this.#sockets = [client, server]
    this.#trouble = trouble
    this.ended = new Promise((resolve) => (this.#isOver = resolve))
    for (const socket of this.#sockets) {
      socket.setNoDelay(true)
      socket.on('error', () => this.#broken())
      socket.on('close', () => this.#broken())
    }
    const requests = new DelayedPipe(server)
    const replies = new DelayedPipe(client)
    client.on('data', (bytes: Buffer) => this.#pass(requests, bytes))
    server.on('data', (bytes: Buffer) => {
      if (this.#trouble() === 'drop-replies') this.end()
      else this.#pass(replies, translate(bytes))
    })
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#isOver()
  }

  endIfTorn(): void {
    if (this.#isTorn) this.end()
  }

  /** On a half-open connection, neither side notices that the other has gone. */
  #broken(): void {
    if (this.#trouble() === 'half-open') this.#isTorn = true
    else this.end()
  }

  #pass(pipe: DelayedPipe, bytes: Buffer): void {
    if (this.#trouble() === 'half-open') this.#isTorn = true
    else pipe.send(bytes, this.#trouble() === 'delay' ? delayMs : 0)
  }
}

/**
 * One direction of a connection. Data arrive in the order in which they were sent, even if the delay ends in the
 * meantime.
 */
class DelayedPipe {
  readonly #to: Socket
  readonly #late: { readonly dueAtMs: number; readonly bytes: Buffer }[] = []

  constructor(to: Socket) {
    this.#to = to
  }

  send(bytes: Buffer, lateMs: number): void {
    if (bytes.length === 0) return
    if (lateMs === 0 && this.#late.length === 0) {
      this.#to.write(bytes)
      return
    }
    this.#late.push({ dueAtMs: performance.now() + lateMs, bytes })
    if (this.#late.length === 1) this.#wait()
  }

  #wait(): void {
    const [first] = this.#late
    if (first === undefined) return
    setTimeout(
      () => {
        this.#late.shift()
        if (this.#to.writable) this.#to.write(first.bytes)
        this.#wait()
      },
      Math.max(0, first.dueAtMs - performance.now()),
    )
  }
}
