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
export interface OwnEnd {
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
  readonly ownEnds: OwnEnd[] = []
  readonly #options: PostOptions
  #process: Server | undefined
  #starts = 0
  #isManned = false
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
    this.#isManned = true
    await this.#run()
    this.#watch = this.#keepManned()
  }

  /** SIGKILL: another process replaces it. SIGSTOP and SIGCONT: the same process freezes and resumes. */
  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name)
  }

  /** SIGTERM, without a replacement. */
  async leave(): Promise<void> {
    this.#isManned = false
    await this.#process?.stop()
    await this.#watch
  }

  /** Whether the service reports itself as ready. */
  isReady(): Promise<boolean> {
    return httpOk(`${this.url}/health/ready`)
  }

  async #keepManned(): Promise<void> {
    while (this.#isManned) {
      const { code, signal } = (await this.#process?.exited) ?? { code: null, signal: null }
      if (!this.#wasManned()) return
      if (signal !== 'SIGKILL') this.#noteOwnEnd(signal ?? `exit code ${String(code)}`)
      await pause(restartDelayMs)
      if (this.#wasManned()) await this.#run()
    }
  }

  /** Read again, because time has passed since the last check. */
  #wasManned(): boolean {
    return this.#isManned
  }

  #noteOwnEnd(how: string): void {
    this.ownEnds.push({ post: this.name, how, lastLines: lastLines(this.#logFile, 5) })
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
