import { onTestFinished } from 'vitest'

import type { Installation } from './real-writer.ts'
import { type ServiceName, type ServiceProcess, startServiceProcess } from './service-process.ts'

/** One place among the processes of a test: whoever is killed there is followed by another. */
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
    if (this.#process === undefined) throw new Error('nobody is at this post')
    return this.#process
  }

  async fill(): Promise<void> {
    this.#process = await this.#start()
  }

  /** SIGKILL, and another process in its place. */
  async kill(): Promise<void> {
    const { process } = this
    process.kill('SIGKILL')
    await process.exited
    this.kills++
    await process.stop()
    await this.fill()
  }

  /** SIGTERM: it hands over and goes. */
  async leave(): Promise<void> {
    await this.process.stop()
    this.#process = undefined
  }
}
