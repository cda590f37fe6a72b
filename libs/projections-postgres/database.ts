import { DatabaseError, Pool, type PoolClient, TypeOverrides, types } from 'pg'

import { fullJitter, pause } from '#async'
import { ViewStoreUnavailableError } from '#projections'

import { GuardedClient } from './guarded-client.ts'
import { isRetriable, isUnavailable } from './sql-state.ts'

export interface DatabaseSettings {
  readonly url: string
  /** `host:port/database`, for errors: never with a password. */
  readonly where: string
  readonly connectionsMax: number
  /** The time limit for a connection, a lock and a statement. */
  readonly timeoutMs: number
  readonly advise?: (error: unknown) => string | undefined
}

/** Runs one statement, alone or within a transaction. */
export interface Sql {
  query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

/** An advisory lock that a transaction takes first. */
interface Lock {
  readonly key: string
  readonly shared: boolean
}

const triesMax = 8
const retryDelayMsMax = 50

// Offsets, revisions and counts are safe integers.
const parsers = new TypeOverrides()
parsers.setTypeParser(types.builtins.INT8, Number)

/** Connections to PostgreSQL. It connects on first use, and reconnects after every loss. */
export class Database implements Sql {
  readonly #pool: Pool
  readonly #where: string
  readonly #advise: (error: unknown) => string | undefined
  #closed: Promise<void> | undefined

  constructor({ url, where, connectionsMax, timeoutMs, advise = () => undefined }: DatabaseSettings) {
    this.#advise = advise
    this.#where = where
    this.#pool = new Pool({
      connectionString: url,
      fallback_application_name: 'annals',
      max: connectionsMax,
      connectionTimeoutMillis: timeoutMs,
      lock_timeout: timeoutMs,
      statement_timeout: timeoutMs,
      // A process frozen within a transaction loses its locks before those who wait for them give up.
      idle_in_transaction_session_timeout: Math.ceil(timeoutMs / 2),
      // For a server that does not report its own timeout.
      query_timeout: timeoutMs * 2,
      keepAlive: true,
      types: parsers,
      Client: GuardedClient,
    })
    // Emitted when an idle connection is lost; the next query gets a new one.
    this.#pool.on('error', () => undefined)
  }

  /** @throws ViewStoreUnavailableError while PostgreSQL does not answer; DatabaseError when it rejects the statement. */
  query<Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.#settled(() => this.#onConnection((sql) => sql.query<Row>(text, values)))
  }

  /**
   * Runs statements in one transaction, and retries it when PostgreSQL rolled it back in favour of another one.
   * @param keeps decides by the result whether to commit. Default: always.
   * @throws as {@link query}
   */
  transaction<Result>(
    lock: Lock,
    work: (sql: Sql) => Promise<Result>,
    keeps: (result: Result) => boolean = () => true,
  ): Promise<Result> {
    const locking = `pg_advisory_xact_lock${lock.shared ? '_shared' : ''}(${lock.key})`
    return this.#settled(() =>
      this.#onConnection(async (sql) => {
        // Each statement must see everything committed before it, in particular while it waited for the lock.
        await sql.query(`BEGIN ISOLATION LEVEL READ COMMITTED; SELECT ${locking}`)
        const result = await work(sql)
        await sql.query(keeps(result) ? 'COMMIT' : 'ROLLBACK')
        return result
      }),
    )
  }

  close(): Promise<void> {
    this.#closed ??= this.#pool.end()
    return this.#closed
  }

  async #onConnection<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw this.#translated(error)
    })
    let failed = true
    try {
      const result = await work({ query: (text, values) => this.#run(client, text, values) })
      failed = false
      return result
    } finally {
      // An open transaction of a failed connection ends with it.
      client.release(failed)
    }
  }

  async #run<Row>(
    client: PoolClient,
    text: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Row[]> {
    try {
      // Without values the simple protocol is used. Only it accepts several statements at once.
      const { rows } = await (values.length === 0 ? client.query(text) : client.query(text, [...values]))
      return rows as Row[]
    } catch (error) {
      throw isRetriable(error) ? error : this.#translated(error)
    }
  }

  async #settled<Result>(attempt: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt()
      } catch (error) {
        if (!isRetriable(error)) throw error
        if (tries === triesMax) throw this.#unavailable(error)
        await pause(fullJitter(retryDelayMsMax))
      }
    }
  }

  /** An error that is not PostgreSQL's own is a connection error. */
  #translated(error: unknown): unknown {
    return !(error instanceof DatabaseError) || isUnavailable(error) ? this.#unavailable(error) : error
  }

  #unavailable(error: unknown): ViewStoreUnavailableError {
    const reason = error instanceof Error ? error.message || error.name : String(error)
    const advice = this.#advise(error)
    const text = advice === undefined ? reason : `${reason}; ${advice}`
    return new ViewStoreUnavailableError(`PostgreSQL at ${this.#where}: ${text}`, { cause: error })
  }
}
