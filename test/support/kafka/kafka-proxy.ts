import { connect, createServer, type Server, type Socket } from 'node:net'

import { freePorts } from '../../../scripts/stack/index.ts'
import { replaceAdvertisedPort } from './advertised-port.ts'

const produceKey = 0

/** What a proxy does with the broker's answers to appends. */
type AnswersToAppends = 'pass' | 'cut' | 'swallow'

/**
 * A TCP proxy to one broker that simulates network faults. It replaces the broker's port in the metadata with its own, so that
 * clients keep using the proxy.
 */
export class KafkaProxy {
  /** `cut`: the connection is lost with the broker's answer. `swallow`: the answer never arrives. */
  answersToAppends: AnswersToAppends = 'pass'
  /** The number of answers to appends that were not delivered. */
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
    // The proxy may close and reopen. No other process may take its port meanwhile.
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

  /** The number of open client connections. */
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

  /** Holds back appends from now on, as in a slow network, until {@link releaseAppends}. */
  holdAppends(): void {
    this.#holding = true
  }

  /** The number of chunks held back. */
  get held(): number {
    return this.#held.length
  }

  /** Sends the held chunks to the broker, in order, and stops holding. */
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
      // A request starts with its length and API key, and may arrive in several chunks.
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
        client.write(replaceAdvertisedPort(bytes, this.#brokerPort, this.port))
        return
      }
      this.lost++
      if (this.answersToAppends === 'cut') end()
    })
  }
}
