import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

import { type Postgres, startPostgres, until } from '../../../../scripts/stack/index.ts'

const startMsMax = 60_000

/** A PostgreSQL that keeps views, with all of its processes. */
export class PostgresServer {
  readonly port: number
  readonly #folder: string
  #running: Postgres | undefined

  constructor(port: number, folder: string) {
    this.port = port
    this.#folder = folder
  }

  /** Those that lost their postmaster hold its memory for a moment: until they have gone, no other starts. */
  async start(): Promise<void> {
    const { port } = this
    const logFile = join(this.#folder, 'postgres.log')
    const start = async () => (this.#running = await startPostgres({ port, folder: this.#folder, logFile }))
    await until('PostgreSQL starts', startMsMax, start)
  }

  /** SIGKILL to the postmaster alone: its processes find out by themselves. */
  async kill(): Promise<void> {
    this.#running?.kill('SIGKILL')
    await this.#running?.exited
  }

  /** As an operator stops it: no client is waited for. */
  async stop(): Promise<void> {
    await this.#running?.stop()
  }

  /** Of the postmaster and all that it has started. */
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
        // It has just ended by itself.
      }
    }
  }
}
