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

/** An end of a process that nobody asked for. */
export interface OwnEnd {
  readonly post: string
  readonly how: string
  readonly lastLines: readonly string[]
}

export interface PostOptions {
  readonly name: string
  readonly kind: ServiceKind
  readonly env: Readonly<Record<string, string>>
  /** For Node.js itself, before the service's file. */
  readonly nodeArgs: readonly string[]
  readonly logFolder: string
}

const restartDelayMs = 300

/**
 * A place where one service process runs, at one port, watched as by a process manager: whoever ends there is followed by
 * another until the post is given up.
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

  /** @param options made for the port that the service will have. */
  static async at(options: (port: number) => Promise<PostOptions>): Promise<ServicePost> {
    const [port = 0] = await freePorts(1)
    return new ServicePost(await options(port), port)
  }

  /** Past all links. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    this.#isManned = true
    await this.#run()
    this.#watch = this.#keepManned()
  }

  /** SIGKILL; another process follows. SIGSTOP and SIGCONT: the same one sleeps and wakes. */
  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name)
  }

  /** SIGTERM, and nobody follows. */
  async leave(): Promise<void> {
    this.#isManned = false
    await this.#process?.stop()
    await this.#watch
  }

  /** As the service sees itself. */
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

  /** Read anew: a wait lies between. */
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
      // When it serves is a question of its own: in trouble it may take long, and the watch goes on meanwhile.
      healthy: () => Promise.resolve(true),
    })
  }

  get #logFile(): string {
    return join(this.#options.logFolder, `${this.name}.${this.#starts}.log`)
  }
}
