import { setTimeout as sleep } from 'node:timers/promises'
import { describe, type Report, type Server, withLog } from '../stack/index.ts'
import type { RunningPart } from './part.ts'
import { type LifeProbe, watchLife } from './watch-life.ts'

const steadyMsDefault = 60_000
const pauseMsDefault = 500
const endsMax = 5

/** A service that may exit unexpectedly, and how to start it. */
export interface Restartable {
  readonly name: string
  readonly address: string
  readonly healthy: () => Promise<boolean>
  /** Resolves when it serves. When the signal aborts, it ends what it has started and rejects. */
  readonly start: (signal: AbortSignal, spawned: (pid: number) => void) => Promise<Server>
  /** Without it, a process that hangs is left alone. */
  readonly life?: LifeProbe
  readonly report: Report
  /** Called whenever its process has ended or was replaced, even before it is healthy. */
  readonly changed: () => void
  /** Uptime after which earlier exits no longer count; default 60 s. */
  readonly steadyMs?: number
  /** Delay before the first restart, doubled for each further one; default 0.5 s. */
  readonly pauseMs?: number
}

/**
 * Starts a service and restarts it whenever it exits unexpectedly or hangs. Each exit is reported. After the fifth in
 * a row the part has ended.
 * @throws StackError when the first start fails
 */
export async function keepRunning(service: Restartable): Promise<RunningPart> {
  const stopping = new AbortController()
  return new KeptRunning(service, stopping, await service.start(stopping.signal, () => undefined))
}

class KeptRunning implements RunningPart {
  readonly name: string
  readonly address: string
  readonly healthy: () => Promise<boolean>
  readonly ended: Promise<string>
  readonly #service: Restartable
  readonly #stopping: AbortController
  #server: Server | undefined
  #pid: number | undefined

  constructor(service: Restartable, stopping: AbortController, server: Server) {
    this.name = service.name
    this.address = service.address
    this.healthy = service.healthy
    this.#service = service
    this.#stopping = stopping
    this.#server = server
    this.#pid = server.pid
    this.ended = this.#live()
  }

  get pids(): readonly number[] {
    return this.#pid === undefined ? [] : [this.#pid]
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#server?.stop()
    await this.ended
  }

  async #live(): Promise<string> {
    const { steadyMs = steadyMsDefault, pauseMs = pauseMsDefault, report } = this.#service
    let ends = 0
    for (;;) {
      const startedAt = performance.now()
      const how = await this.#liveOnce()
      if (this.#stopping.signal.aborted) return 'it was stopped'
      ends = performance.now() - startedAt < steadyMs ? ends + 1 : 1
      if (ends >= endsMax) return `${how}\nThat happened ${ends} times in a row.`
      report(`${how}\nRestarting it (${ends} of ${endsMax - 1})`)
      await this.#pause(pauseMs * 2 ** (ends - 1))
    }
  }

  /** From its start, or from now if it runs, to its end. Returns how it ended. */
  async #liveOnce(): Promise<string> {
    try {
      this.#server ??= await this.#startAgain()
      return await this.#ended(this.#server)
    } catch (error) {
      return (error as Error).message
    } finally {
      this.#server = undefined
      this.#isNow(undefined)
    }
  }

  /** How a running server ended: it exited unexpectedly, or it hung and was killed. */
  async #ended(server: Server): Promise<string> {
    const { name, exited, logFile } = server
    const over = new AbortController()
    const { life } = this.#service
    const hung = life === undefined ? undefined : watchLife(life, over.signal)
    // A process that hangs does not react to SIGTERM either.
    const killed = hung?.then((silent) => {
      if (silent !== undefined) server.kill('SIGKILL')
      return silent
    })
    const exit = await exited
    over.abort()
    const silent = await killed
    const how =
      silent === undefined
        ? `${name} exited unexpectedly (${describe(exit)})`
        : `${name} did not answer ${silent} probes in a row and was killed`
    return withLog(new Error(how), logFile).message
  }

  async #startAgain(): Promise<Server> {
    const { signal } = this.#stopping
    signal.throwIfAborted()
    return this.#service.start(signal, (pid) => this.#isNow(pid))
  }

  /** Notifies the owner, which then reads the pids. A failure of the owner must not affect the service. */
  #isNow(pid: number | undefined): void {
    this.#pid = pid
    try {
      this.#service.changed()
    } catch (error) {
      this.#service.report(`The state of ${this.name} cannot be written: ${(error as Error).message}`)
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
  }
}
