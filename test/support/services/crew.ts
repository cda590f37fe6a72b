import { onTestFinished } from 'vitest'

import type { Installation } from './real-writer.ts'
import { type ServiceName, type ServiceProcess, startServiceProcess } from './service-process.ts'

/** A service process of a test. When it is killed, another one replaces it. */
export class Post {
  readonly #start: () => Promise<ServiceProcess>
  #process: ServiceProcess | undefined
  kills = 0

  constructor(service: ServiceName, where: Installation, env: Readonly<Record<string, string>> = {}) {
    this.#start = () => startServiceProcess(service, where, env)
    onTestFinished(() => this.#process?.stop())
  }

  get url(): string {
    return this.process.url
  }

  get process(): ServiceProcess {
    if (this.#process === undefined) throw new Error('no process is running')
    return this.#process
  }

  async fill(): Promise<void> {
    this.#process = await this.#start()
  }

  /** Sends SIGKILL, and starts a replacement. */
  async kill(): Promise<void> {
    const { process } = this
    process.kill('SIGKILL')
    await process.exited
    this.kills++
    await process.stop()
    await this.fill()
  }

  /** Sends SIGTERM: the process hands over its partitions and exits. */
  async leave(): Promise<void> {
    await this.process.stop()
    this.#process = undefined
  }
}
