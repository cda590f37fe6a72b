import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll } from 'vitest'

import { freePorts, type Postgres, startPostgres } from '../../../scripts/stack/index.ts'

/** A PostgreSQL for one test file. */
class TestPostgres {
  readonly #folder: string
  readonly #port: number
  #server: Postgres

  private constructor(folder: string, port: number, server: Postgres) {
    this.#folder = folder
    this.#port = port
    this.#server = server
  }

  static async start(): Promise<TestPostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'annals-postgres-'))
    const [port = 0] = await freePorts(1)
    return new TestPostgres(folder, port, await serverIn(folder, port))
  }

  get url(): string {
    return this.#server.url
  }

  kill(signal: NodeJS.Signals): void {
    this.#server.kill(signal)
  }

  /** Stops the server and keeps its data. */
  stop(): Promise<void> {
    return this.#server.stop()
  }

  /** Restarts it with the same port and data. */
  async restart(): Promise<void> {
    this.#server = await serverIn(this.#folder, this.#port)
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

const serverIn = (folder: string, port: number): Promise<Postgres> =>
  startPostgres({ port, folder, logFile: join(folder, 'log') })

/** Starts a PostgreSQL for all tests of a file, and removes it after them. Await it at the top level of the file. */
export async function postgresForFile(): Promise<TestPostgres> {
  const postgres = await TestPostgres.start()
  afterAll(() => postgres.remove())
  return postgres
}
