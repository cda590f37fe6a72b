import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

import { type Postgres, startPostgres, until } from '../../../../scripts/stack/index.ts'
import { killNow } from './kill-now.ts'

const startMsMax = 60_000

/** A PostgreSQL for views, with all of its processes. */
export class PostgresServer {
  readonly port: number
  readonly #folder: string
  #running: Postgres | undefined

  constructor(port: number, folder: string) {
    this.port = port
    this.#folder = folder
  }

  /** Orphaned processes hold the shared memory for a moment, and no new server starts until they have gone. */
  async start(): Promise<void> {
    const { port } = this
    const logFile = join(this.#folder, 'postgres.log')
    const start = async () => (this.#running = await startPostgres({ port, folder: this.#folder, logFile }))
    await until('PostgreSQL starts', startMsMax, start)
  }

  /** SIGKILL to the postmaster alone; its processes notice by themselves. */
  kill(): Promise<void> {
    return killNow(this.#running)
  }

  /** A fast shutdown, as an operator does it: it does not wait for clients. */
  async stop(): Promise<void> {
    await this.#running?.stop()
  }

  /** Signals the postmaster and all processes that it started. */
  signalAll(name: NodeJS.Signals): void {
    const { pid } = this.#running ?? {}
    if (pid === undefined) return
    const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    const started = stdout
      .split('\n')
      .map(Number)
      .filter((each) => each > 0)
    for (const each of [pid, ...started]) {
      try {
        process.kill(each, name)
      } catch {
        // It has ended in the meantime.
      }
    }
  }
}
