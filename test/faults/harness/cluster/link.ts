import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/**
 * What a network does to those who talk over it. `cut`: connections break, and there are no new ones. `delay`: every piece is
 * late. `half-open`: the connection stays, and nothing comes through. `drop-replies`: requests come through, and the
 * connection breaks before their answer does.
 */
export type Trouble = 'cut' | 'delay' | 'half-open' | 'drop-replies'

export const troubles: readonly Trouble[] = ['cut', 'delay', 'half-open', 'drop-replies']

const delayMs = 300

/** Puts one connection's answers, which come in pieces of any size, into other words. */
export type Translate = (bytes: Buffer) => Buffer

/** The only way from one part of the system to another: a TCP proxy that can be in trouble. */
export class Link {
  /** Such as `writer-1→broker-2`. */
  readonly name: string
  trouble: Trouble | undefined
  readonly #target: number
  readonly #translator: () => Translate
  readonly #server: Server
  readonly #connections = new Set<Connection>()

  private constructor(name: string, target: number, translator: () => Translate) {
    this.name = name
    this.#target = target
    this.#translator = translator
    this.#server = createServer((client) => this.#accept(client))
  }

  /** @param target a port of this machine. @param translator makes one for each connection. */
  static async open(
    name: string,
    target: number,
    translator: () => Translate = () => (bytes) => bytes,
  ): Promise<Link> {
    const link = new Link(name, target, translator)
    await new Promise<void>((resolve) => link.#server.listen(0, '127.0.0.1', resolve))
    return link
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  suffer(trouble: Trouble): void {
    this.trouble = trouble
    if (trouble === 'cut') this.#each((connection) => connection.end())
  }

  /** A connection that has lost something ends: TCP has no holes. */
  heal(): void {
    this.trouble = undefined
    this.#each((connection) => connection.endIfTorn())
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#each((connection) => connection.end())
    await closed
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

  /** Behind a half-open connection nobody learns that the other side has gone. */
  #broken(): void {
    if (this.#trouble() === 'half-open') this.#isTorn = true
    else this.end()
  }

  #pass(pipe: DelayedPipe, bytes: Buffer): void {
    if (this.#trouble() === 'half-open') this.#isTorn = true
    else pipe.send(bytes, this.#trouble() === 'delay' ? delayMs : 0)
  }
}

/** One direction of a connection: what was sent first arrives first, also where the delay has ended meanwhile. */
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
