import { LogError } from './kafka-errors.ts'

const checkMs = 3_000

/** The error for a topic that is no longer the one this process started with. */
export const replaced = (topic: string): LogError =>
  new LogError(
    'log-replaced',
    `topic ${topic} was deleted and created again while this process was running, so it is not served. ` +
      'If this was intended, restart the services: they rebuild everything from the new log. ' +
      'If not, stop the services and restore a backup (docs/operations/failover.md)',
  )

/**
 * The topics that a process started with. A topic that is deleted and created again under the same name is a different log, and
 * state derived from the first one is invalid for it. Once detected, a replacement is final for this process.
 */
export class HeldTopics {
  readonly #askIds: (names: readonly string[]) => Promise<ReadonlyMap<string, string>>
  readonly #ids = new Map<string, string>()
  readonly #replaced = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  /** @param askIds returns the current ids of those topics that exist. */
  constructor(askIds: (names: readonly string[]) => Promise<ReadonlyMap<string, string>>) {
    this.#askIds = askIds
  }

  get replaced(): readonly string[] {
    return [...this.#replaced]
  }

  hold(topics: readonly { readonly name: string; readonly topicId: string }[]): void {
    for (const { name, topicId } of topics) if (!this.#ids.has(name)) this.#ids.set(name, topicId)
    this.#timer ??= setInterval(() => void this.#refresh(), checkMs).unref()
  }

  /** Records the id that Kafka reports for a topic. */
  note(topic: string, topicId: string): void {
    const held = this.#ids.get(topic)
    if (held !== undefined && held !== topicId) this.#replaced.add(topic)
  }

  /** @throws LogError `log-replaced` */
  check(topic: string): void {
    if (this.#replaced.has(topic)) throw replaced(topic)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** Detects replacements even if the process serves from memory and Redis alone and sends no request to Kafka. */
  async #refresh(): Promise<void> {
    try {
      for (const [topic, topicId] of await this.#askIds([...this.#ids.keys()])) this.note(topic, topicId)
    } catch {
      // Kafka is unavailable. Requests that need it report that.
    }
  }
}
