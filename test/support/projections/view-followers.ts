import { isDeepStrictEqual } from 'node:util'

import { onTestFinished } from 'vitest'

import type { ProjectionHandle } from '#client'

import { waitFor } from '../stack/stack.ts'

interface FollowerOptions {
  /** Unsubscribes after this many updates, and subscribes again from the last cursor. Default: never. */
  readonly breakOffAfter?: number
}

/** A live subscriber, and the views as it has received them. */
export class ViewFollower {
  readonly views = new Map<string, unknown>()
  updates = 0
  readonly #projection: ProjectionHandle
  readonly #breakOffAfter: number
  readonly #over = new AbortController()
  readonly #following: Promise<void>
  #failure: unknown

  constructor(projection: ProjectionHandle, { breakOffAfter = Infinity }: FollowerOptions = {}) {
    this.#projection = projection
    this.#breakOffAfter = breakOffAfter
    this.#following = this.#follow().catch((error: unknown) => {
      this.#failure = error
    })
    onTestFinished(() => this.stop())
  }

  async stop(): Promise<void> {
    this.#over.abort()
    await this.#following
  }

  /** Waits until it has received the expected views. @throws the error that ended the subscription. */
  async has(expected: ReadonlyMap<string, unknown>): Promise<void> {
    const isThere = () => {
      if (this.#failure !== undefined) throw new Error('the subscription ended', { cause: this.#failure })
      return Promise.resolve(isDeepStrictEqual(this.views, expected))
    }
    await waitFor('a subscriber to have the last state of every view', isThere, { timeoutMs: 30_000 })
  }

  async #follow(): Promise<void> {
    const { signal } = this.#over
    let cursor: string | undefined
    while (!signal.aborted) {
      let left = this.#breakOffAfter
      for await (const update of this.#projection.subscribe({ signal, ...(cursor && { cursor }) })) {
        if (update.view === null) this.views.delete(update.key)
        else this.views.set(update.key, update.view)
        cursor = update.cursor
        this.updates++
        if (--left <= 0) break
      }
    }
  }
}
