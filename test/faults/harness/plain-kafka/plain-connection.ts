import { connect, type Socket } from 'node:net'

import { Cursor, int16, int32, string } from './cursor.ts'

const requestMsMax = 15_000
const clientId = 'fault-checker'

interface Waiting {
  readonly resolve: (answer: Cursor) => void
  readonly reject: (error: Error) => void
}

/** A request of Kafka's protocol: https://kafka.apache.org/protocol */
interface PlainRequest {
  readonly key: number
  readonly version: number
  readonly body: Buffer
  /** Whether this version has tagged fields, also in its header. */
  readonly isFlexible?: boolean
}

/** A connection to one broker without a client library. */
export class PlainConnection {
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting & { readonly isFlexible: boolean }>()
  #received = Buffer.alloc(0)
  #sent = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => this.#receive(bytes))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the broker has closed the connection')))
  }

  /** @param address `host:port` */
  static open(address: string): Promise<PlainConnection> {
    const [host, port] = address.split(':')
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port: Number(port), timeout: requestMsMax })
      socket.once('error', reject)
      socket.once('timeout', () => socket.destroy(new Error(`${address} does not answer`)))
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new PlainConnection(socket))
      })
    })
  }

  /** @returns the body of the response. @throws Error if there is none within 15 s. */
  ask({ key, version, body, isFlexible = false }: PlainRequest): Promise<Cursor> {
    const id = ++this.#sent
    const header = [int16(key), int16(version), int32(id), string(clientId), Buffer.alloc(isFlexible ? 1 : 0)]
    const request = Buffer.concat([...header, body])
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, isFlexible })
      this.#socket.write(Buffer.concat([int32(request.length), request]))
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes])
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readInt32BE(0)
      if (this.#received.length < end) return
      const answer = new Cursor(this.#received.subarray(4, end))
      this.#received = this.#received.subarray(end)
      const id = answer.int32()
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (waiting?.isFlexible === true) answer.int8()
      waiting?.resolve(answer)
    }
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

/** Opens a connection for one task. */
export async function connected<T>(
  address: string,
  work: (connection: PlainConnection) => Promise<T>,
): Promise<T> {
  const connection = await PlainConnection.open(address)
  try {
    return await work(connection)
  } finally {
    connection.close()
  }
}
