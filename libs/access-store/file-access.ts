import { hash } from 'node:crypto'

import type { AccessDocument } from '#access'
import { pause } from '#async'

import { readAccessFile, stampOf } from './access-file.ts'
import type { AccessSource, AccessState } from './access-source.ts'
import { AccessStoreError } from './access-store-error.ts'
import { HeldAccess } from './held-access.ts'
import { messageOf } from './parse-json.ts'

const pollMsDefault = 1_000
/** Clocks of file systems are coarse, so a file that has changed within this time is read again. */
const racyMs = 2_000

/**
 * Follows an access file. It looks at the file every second, and reads it when it has changed. A file that is broken, gone, or open to
 * other users leaves the last state in force.
 */
export class FileAccess implements AccessSource {
  readonly #path: string
  readonly #pollMs: number
  readonly #held: HeldAccess
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  #started: Promise<void> | undefined
  /** The stamp of the content that was read last, valid or not; undefined if it may have changed since. */
  #seen: string | undefined
  #isSeenValid = false
  #contentHash = ''

  constructor(path: string, pollMs = pollMsDefault) {
    this.#path = path
    this.#pollMs = pollMs
    this.#held = new HeldAccess(`file ${path}`, Date.now)
  }

  get current(): AccessDocument | undefined {
    return this.#held.current
  }

  get state(): AccessState {
    return this.#held.state
  }

  onChange(listener: (current: AccessDocument) => void): () => void {
    return this.#held.onChange(listener)
  }

  start(): Promise<void> {
    this.#started ??= new Promise((resolve) => {
      this.#running = this.#run(resolve)
    })
    return this.#started
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(attempted: () => void): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#look()
      } catch (error) {
        this.#held.fail(messageOf(error))
      }
      attempted()
      await pause(this.#pollMs, signal)
    }
    attempted()
  }

  async #look(): Promise<void> {
    const stamp = await stampOf(this.#path)
    if (stamp === undefined) throw this.#missing()
    if (stamp.text === this.#seen) {
      if (this.#isSeenValid) this.#held.confirm()
      return
    }
    const isSettled = Date.now() - stamp.changedAtMs > racyMs
    this.#seen = isSettled ? stamp.text : undefined
    this.#isSeenValid = false
    const read = await readAccessFile(this.#path)
    if (read === undefined) throw this.#missing()
    this.#isSeenValid = true
    const contentHash = hash('sha256', read.text)
    this.#held.take(contentHash === this.#contentHash ? undefined : read.document, [])
    this.#contentHash = contentHash
  }

  #missing(): AccessStoreError {
    return new AccessStoreError(
      'file-failed',
      `access file ${this.#path} does not exist: ./annals access key create makes it`,
    )
  }
}
