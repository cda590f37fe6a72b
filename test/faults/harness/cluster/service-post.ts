import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import {
  freePorts,
  httpOk,
  lastLines,
  repository,
  type Server,
  startServer,
} from '../../../../scripts/stack/index.ts'

export type ServiceKind = 'writer' | 'projector' | 'snapshotter'

/** An unexpected exit of a process. */
export interface UnexpectedExit {
  readonly post: string
  readonly how: string
  readonly lastLines: readonly string[]
}

export interface PostOptions {
  readonly name: string
  readonly kind: ServiceKind
  readonly env: Readonly<Record<string, string>>
  /** Options of Node.js, before the service's file. */
  readonly nodeArgs: readonly string[]
  readonly logFolder: string
}

const restartDelayMs = 300

/**
 * A slot for one service process at one port, supervised as by a process manager: a process that ends is replaced
 * until the slot is closed.
 */
export class ServicePost {
  readonly name: string
  readonly kind: ServiceKind
  readonly port: number
  readonly unexpectedExits: UnexpectedExit[] = []
  readonly #options: PostOptions
  #process: Server | undefined
  #starts = 0
  #isOpen = false
  #watch: Promise<void> = Promise.resolve()

  private constructor(options: PostOptions, port: number) {
    this.#options = options
    this.name = options.name
    this.kind = options.kind
    this.port = port
  }

  /** @param options created for the port of the service */
  static async at(options: (port: number) => Promise<PostOptions>): Promise<ServicePost> {
    const [port = 0] = await freePorts(1)
    return new ServicePost(await options(port), port)
  }

  /** Its URL, bypassing all links. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    this.#isOpen = true
    await this.#run()
    this.#watch = this.#keepRunning()
  }

  /** SIGKILL: another process replaces it. SIGSTOP and SIGCONT: the same process freezes and resumes. */
  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name)
  }

  /** SIGTERM, without a replacement. */
  async leave(): Promise<void> {
    this.#isOpen = false
    await this.#process?.stop()
    await this.#watch
  }

  /** Whether the service reports itself as ready. */
  isReady(): Promise<boolean> {
    return httpOk(`${this.url}/health/ready`)
  }

  async #keepRunning(): Promise<void> {
    while (this.#isOpen) {
      const { code, signal } = (await this.#process?.exited) ?? { code: null, signal: null }
      if (!this.#isStillOpen()) return
      if (signal !== 'SIGKILL') this.#noteUnexpectedExit(signal ?? `exit code ${String(code)}`)
      await pause(restartDelayMs)
      if (this.#isStillOpen()) await this.#run()
    }
  }

  /** Read again, because time has passed since the last check. */
  #isStillOpen(): boolean {
    return this.#isOpen
  }

  #noteUnexpectedExit(how: string): void {
    this.unexpectedExits.push({ post: this.name, how, lastLines: lastLines(this.#logFile, 5) })
  }

  async #run(): Promise<void> {
    this.#starts++
    const { kind, env, nodeArgs } = this.#options
    this.#process = await startServer({
      name: this.name,
      command: process.execPath,
      args: [...nodeArgs, `services/${kind}/main.ts`],
      cwd: repository,
      env: { ...env, ANNALS_LOG_PRETTY: 'false', ANNALS_PORT: String(this.port) },
      logFile: this.#logFile,
      // Readiness is checked elsewhere: during faults it may take long, and supervision must continue in the meantime.
      healthy: () => Promise.resolve(true),
    })
  }

  get #logFile(): string {
    return join(this.#options.logFolder, `${this.name}.${this.#starts}.log`)
  }
}
