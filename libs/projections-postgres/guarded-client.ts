import type { Duplex } from 'node:stream'

import { Client, type ClientConfig, type Connection } from 'pg'

import { guardStream } from '#sockets'

/** An undeclared member of node-postgres' connection: it attaches its parser to a stream. */
interface Parsing {
  attachListeners(stream: Duplex): void
}

/** How long a server may take to close an ended connection. */
const farewellMs = 1_000

/**
 * A client of node-postgres whose errors never end the process, and whose sockets do not outlive it. It always has an error
 * listener: the pool removes its own before it hands a client over, and an error in the same chunk would find none.
 * An error of the parser on bytes that are not PostgreSQL's becomes a connection error.
 */
export class GuardedClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config)
    // Running queries are rejected with it; an idle lost connection is replaced by the next query.
    this.on('error', () => undefined)
    guardParser(this.connection as unknown as Parsing)
    closeAfterFarewell(this.connection)
  }

  /** Connects as the original does, and closes the socket of a failed attempt, which the pool would leave open. */
  override connect(): Promise<Client>
  override connect(callback: Connected): void
  override connect(callback?: Connected): Promise<Client> | undefined {
    if (callback === undefined) return promisified((done) => this.connect(done))
    super.connect((error: Error | null) => {
      if (error !== null) this.connection.stream.destroy()
      ;(callback as Done)(error, this)
    })
    return undefined
  }
}

type Connected = ((error: Error) => void) | ((error: null, client: Client) => void)
type Done = (error: Error | null, client: Client) => void

function promisified(connect: (done: Connected) => void): Promise<Client> {
  const { promise, resolve, reject } = Promise.withResolvers<Client>()
  connect((error: Error | null, client?: Client) => {
    if (client === undefined || error !== null) reject(error ?? new Error('not connected'))
    else resolve(client)
  })
  return promise
}

function guardParser(connection: Parsing): void {
  const attach = connection.attachListeners.bind(connection)
  connection.attachListeners = (stream) => {
    attach(guardStream(stream))
  }
}

/** A server that does not close its end would keep the socket and the process alive. */
function closeAfterFarewell(connection: Connection): void {
  const end = connection.end.bind(connection)
  connection.end = () => {
    end()
    setTimeout(() => connection.stream.destroy(), farewellMs).unref()
  }
}
