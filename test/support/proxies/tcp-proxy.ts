import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Characters of answers that are kept. */
const answersMax = 1 << 20

/**
 * A TCP proxy to a server of any protocol. It can hold back what clients send, and forward new connections to another server, as
 * when another process starts at the same address.
 */
export class TcpProxy {
  #target: string
  #needle: Buffer | undefined
  #isHolding = false
  #answers = ''
  readonly #held: (() => void)[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(target: string) {
    this.#target = target
    this.#server = createServer((client) => this.#accept(client))
  }

  /** @param target URL of the server: only its port counts. */
  static async start(target: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** The target's URL with the proxy's port. */
  get url(): string {
    const url = new URL(this.#target)
    url.port = String((this.#server.address() as AddressInfo).port)
    return url.href.replace(/\/$/, '')
  }

  /** Forwards new connections to another server. */
  turnTo(target: string): void {
    this.#target = target
  }

  /** Holds back everything from the next chunk that contains the text, until {@link release}. */
  holdFrom(text: string): void {
    this.#needle = Buffer.from(text)
  }

  /** The number of chunks held back. */
  get held(): number {
    return this.#held.length
  }

  /** Sends the held chunks in order, and stops holding. */
  release(): void {
    this.#isHolding = false
    this.#needle = undefined
    this.#answers = ''
    for (const send of this.#held.splice(0)) send()
  }

  /** Whether an answer since the release contains the text. */
  hasAnswered(text: string): boolean {
    return this.#answers.includes(text)
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accept(client: Socket): void {
    const server = connect(Number(new URL(this.#target).port), '127.0.0.1')
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
    client.on('data', (bytes) => this.#pass(bytes, server))
    server.on('data', (bytes) => {
      this.#answers = (this.#answers + bytes.toString('latin1')).slice(-answersMax)
      client.write(bytes)
    })
  }

  #pass(bytes: Buffer, server: Socket): void {
    this.#isHolding ||= this.#needle !== undefined && bytes.includes(this.#needle)
    if (this.#isHolding) this.#held.push(() => server.write(bytes))
    else server.write(bytes)
  }
}
