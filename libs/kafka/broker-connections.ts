import { Connection } from '@platformatic/kafka'

import { guardStream } from '#sockets'

import { ClusterClosedError, NotSentError, rootMessage } from './kafka-errors.ts'
import { type BrokerAddress, connectionOptions, type KafkaSettings } from './settings.ts'

/**
 * Connections by broker and lane. A broker answers the requests of one connection one after the other, so requests that
 * must not wait for each other (appends, reads, long polls) go on lanes of their own. A lost connection rejects what was
 * in flight on it and is made anew by the next request.
 */
export class BrokerConnections {
  readonly #settings: KafkaSettings
  readonly #open = new Map<string, Promise<Connection>>()
  #closed = false

  constructor(settings: KafkaSettings) {
    this.#settings = settings
  }

  /** @throws NotSentError when the broker cannot be reached; ClusterClosedError after {@link close}. */
  get(broker: BrokerAddress, lane: string): Promise<Connection> {
    if (this.#closed) return Promise.reject(new ClusterClosedError())
    const key = `${broker.host}:${broker.port}/${lane}`
    const known = this.#open.get(key)
    if (known !== undefined) return known
    const opening = this.#connect(broker, () => this.#forget(key, opening))
    this.#open.set(key, opening)
    opening.catch(() => this.#forget(key, opening))
    return opening
  }

  /** Closes the connections of one lane, to all brokers. */
  async closeLane(lane: string): Promise<void> {
    const keys = [...this.#open.keys()].filter((key) => key.endsWith(`/${lane}`))
    await Promise.all(keys.map((key) => this.#close(key)))
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#open.keys()].map((key) => this.#close(key)))
  }

  async #close(key: string): Promise<void> {
    const connection = await this.#open.get(key)?.catch(() => undefined)
    this.#open.delete(key)
    await connection?.close()
  }

  #forget(key: string, connection: Promise<Connection>): void {
    if (this.#open.get(key) === connection) this.#open.delete(key)
  }

  async #connect(broker: BrokerAddress, onLost: () => void): Promise<Connection> {
    const connection = new Connection(this.#settings.clientId, connectionOptions(this.#settings, broker.host))
    // Errors reach the requests in flight; without a listener an emitter would throw them at the process.
    connection.on('error', onLost)
    connection.on('close', onLost)
    try {
      const connecting = connection.connect(broker.host, broker.port)
      // Its parser throws at frames that are none, from within the socket's event.
      guardStream(connection.socket)
      await connecting
    } catch (cause) {
      const address = `${broker.host}:${broker.port}`
      throw new NotSentError(`Kafka broker ${address} cannot be reached: ${rootMessage(cause)}`, { cause })
    }
    if (this.#closed) {
      await connection.close()
      throw new ClusterClosedError()
    }
    return connection
  }
}
