import { Connection } from '@platformatic/kafka'

import { guardStream } from '#sockets'

import { ClusterClosedError, isAuthentication, NotSentError, rootMessage } from './kafka-errors.ts'
import { type BrokerAddress, connectionOptions, type KafkaSettings } from './settings.ts'

/**
 * Connections by broker and lane. A broker answers the requests of one connection in order, so requests that must not
 * wait for each other (appends, reads, long polls) use separate lanes. A lost connection rejects its requests in flight;
 * the next request opens a new one.
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
    // Errors reach the requests in flight. Without a listener, the emitter would throw them as uncaught exceptions.
    connection.on('error', onLost)
    connection.on('close', onLost)
    try {
      const connecting = connection.connect(broker.host, broker.port)
      // The client's parser throws on malformed frames, inside the socket's event handler.
      guardStream(connection.socket)
      await connecting
    } catch (cause) {
      const address = `${broker.host}:${broker.port}`
      const what = isAuthentication(cause) ? 'refused these credentials' : 'cannot be reached'
      const advice = this.#settings.advise?.(cause)
      const detail = advice === undefined ? rootMessage(cause) : `${rootMessage(cause)}; ${advice}`
      throw new NotSentError(`Kafka broker ${address} ${what}: ${detail}`, { cause })
    }
    if (this.#closed) {
      await connection.close()
      throw new ClusterClosedError()
    }
    return connection
  }
}
