import { connect, createServer, type Server, type Socket } from 'node:net'

import { freePorts } from '../../../scripts/stack/index.ts'

const produceKey = 0

/** What a proxy does with the broker's answers to appends. */
export type AnswersToAppends = 'pass' | 'cut' | 'swallow'

/**
 * A TCP proxy before one broker, for what a network does to a client. It puts its own port for the broker's into what the
 * broker tells about itself, so that clients stay with it.
 */
export class KafkaProxy {
  /** `cut`: the connection is lost once the broker has answered, and the answer with it. `swallow`: no answer ever comes. */
  answersToAppends: AnswersToAppends = 'pass'
  /** Answers to appends that did not get through. */
  lost = 0
  #holding = false
  #answered = false
  readonly #held: (() => void)[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #brokerPort: number

  private constructor(brokerPort: number) {
    this.#brokerPort = brokerPort
    this.#server = createServer((client) => this.#accept(client))
  }

  /** @param broker `127.0.0.1:port` */
  static async start(broker: string): Promise<KafkaProxy> {
    const proxy = new KafkaProxy(Number(broker.split(':')[1]))
    // It may close and open again: nobody else is to take its port meanwhile.
    const [port = 0] = await freePorts(1)
    await proxy.open(port)
    return proxy
  }

  /** `host:port` for clients. */
  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' ? (address?.port ?? 0) : 0
  }

  /** Connections of clients that are open now. */
  get connections(): number {
    return this.#sockets.size / 2
  }

  open(port: number): Promise<void> {
    return new Promise((resolve) => this.#server.listen(port, '127.0.0.1', resolve))
  }

  /** Cuts all connections and takes no new ones. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cutAll()
    await closed
  }

  /** From now on appends do not get through to the broker: they wait, as in a slow network, for their release. */
  holdAppends(): void {
    this.#holding = true
  }

  /** Pieces of appends that wait. */
  get held(): number {
    return this.#held.length
  }

  /** Lets all that waits through to the broker, in its order, and what comes after it. */
  releaseAppends(): void {
    this.#holding = false
    this.#answered = false
    for (const send of this.#held.splice(0)) send()
  }

  /** Whether the broker has answered an append since the release. */
  get hasAnsweredAppend(): boolean {
    return this.#answered
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #accept(client: Socket): void {
    const broker = connect(this.#brokerPort, '127.0.0.1')
    let lastKey = -1
    const end = (): void => {
      client.destroy()
      broker.destroy()
    }
    for (const socket of [client, broker]) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', end)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        end()
      })
    }
    let missing = 0
    client.on('data', (bytes: Buffer) => {
      // A request starts with its length and its kind, and may come in pieces.
      for (let start = missing; start + 6 <= bytes.length; start += 4 + bytes.readInt32BE(start)) {
        lastKey = bytes.readInt16BE(start + 4)
        missing = start + 4 + bytes.readInt32BE(start)
      }
      missing = Math.max(0, missing - bytes.length)
      if (this.#holding && lastKey === produceKey) this.#held.push(() => broker.write(bytes))
      else broker.write(bytes)
    })
    broker.on('data', (bytes: Buffer) => {
      this.#answered ||= lastKey === produceKey
      if (lastKey !== produceKey || this.answersToAppends === 'pass') {
        client.write(this.#withOwnPort(bytes))
        return
      }
      this.lost++
      if (this.answersToAppends === 'cut') end()
    })
  }

  #withOwnPort(bytes: Buffer): Buffer {
    const told = Buffer.alloc(4)
    told.writeInt32BE(this.#brokerPort)
    const address = Buffer.concat([Buffer.from('127.0.0.1'), told])
    for (let at = bytes.indexOf(address); at >= 0; at = bytes.indexOf(address, at + 1)) {
      bytes.writeInt32BE(this.port, at + address.length - 4)
    }
    return bytes
  }
}
