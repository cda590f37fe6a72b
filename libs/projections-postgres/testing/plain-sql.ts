import { Client } from 'pg'

/** A foreign session on the database of a store: a person or an interfering process. */
export class PlainSql implements AsyncDisposable {
  readonly #client: Client

  private constructor(client: Client) {
    this.#client = client
    // The server may end the session; the next query fails then.
    client.on('error', () => undefined)
  }

  static async open(url: string): Promise<PlainSql> {
    const client = new Client({ connectionString: url })
    await client.connect()
    return new PlainSql(client)
  }

  async rows(text: string): Promise<unknown[]> {
    const { rows } = await this.#client.query<Record<string, unknown>>(text)
    return rows
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end()
  }
}
