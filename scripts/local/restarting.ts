import { setTimeout as sleep } from 'node:timers/promises'
import { describe, type Report, type Server, withLog } from '../stack/index.ts'
import type { RunningPart } from './part.ts'
import { type LifeProbe, watchLife } from './watch-life.ts'

const steadyMsDefault = 60_000
const pauseMsDefault = 500
const endsMax = 5

/** A service that may end by itself, and how to start it. */
export interface Restartable {
  readonly name: string
  readonly address: string
  readonly healthy: () => Promise<boolean>
  /** Resolves when it serves; when the signal aborts, ends what it has started and rejects. */
  readonly start: (signal: AbortSignal, spawned: (pid: number) => void) => Promise<Server>
  /** Without it a process that hangs is left alone. */
  readonly life?: LifeProbe
  readonly report: Report
  /** Called whenever its process has ended or is another one than before, be it healthy yet or not. */
  readonly changed: () => void
  /** How long it must have run for what was before to be forgotten; 60 s unless told otherwise. */
  readonly steadyMs?: number
  /** Before it is started again the first time, twice as long each further time; 0.5 s unless told otherwise. */
  readonly pauseMs?: number
}

/**
 * Starts a service, and again whenever it ends by itself or hangs; each time how it ended is reported. The part has ended when
 * that happens a fifth time in a row.
 * @throws StackError when it cannot be started the first time
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
      if (ends >= endsMax) return `${how}\nThat was ${ends} times in a row.`
      report(`${how}\nStarting it again (${ends} of ${endsMax - 1})`)
      await this.#pause(pauseMs * 2 ** (ends - 1))
    }
  }

  /** From its start, or now if it runs, to how it ended. */
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

  /** How a server that runs ended, by itself or because it hung. */
  async #ended(server: Server): Promise<string> {
    const { name, exited, logFile } = server
    const over = new AbortController()
    const { life } = this.#service
    const hung = life === undefined ? undefined : watchLife(life, over.signal)
    // What hangs does not hear a polite signal either.
    const killed = hung?.then((silent) => {
      if (silent !== undefined) server.kill('SIGKILL')
      return silent
    })
    const exit = await exited
    over.abort()
    const silent = await killed
    const how =
      silent === undefined
        ? `${name} ended by itself (${describe(exit)})`
        : `${name} left ${silent} probes in a row without an answer, and was ended`
    return withLog(new Error(how), logFile).message
  }

  async #startAgain(): Promise<Server> {
    const { signal } = this.#stopping
    signal.throwIfAborted()
    return this.#service.start(signal, (pid) => this.#isNow(pid))
  }

  /** Whoever is notified asks for the pids. That this fails must not cost the service. */
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
