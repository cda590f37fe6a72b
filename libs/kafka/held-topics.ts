import { LogError } from './kafka-errors.ts'

const lookMs = 3_000

/** A topic that is another one than this process began with. */
export const replaced = (topic: string): LogError =>
  new LogError(
    'log-replaced',
    `topic ${topic} was deleted and created again while this process ran: nothing of it is served. ` +
      'If that was meant, restart the services: they rebuild everything from the new log. ' +
      'If not, stop the services and restore a backup (docs/operations/failover.md)',
  )

/**
 * The topics that a process began with. One that is deleted and created again under its name is another log: what was
 * decided, remembered or served of the first means nothing there. Once seen, a replacement is final for this process.
 */
export class HeldTopics {
  readonly #askIds: (names: readonly string[]) => Promise<ReadonlyMap<string, string>>
  readonly #ids = new Map<string, string>()
  readonly #replaced = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  /** @param askIds the ids of those that are there now. */
  constructor(askIds: (names: readonly string[]) => Promise<ReadonlyMap<string, string>>) {
    this.#askIds = askIds
  }

  get replaced(): readonly string[] {
    return [...this.#replaced]
  }

  hold(topics: readonly { readonly name: string; readonly topicId: string }[]): void {
    for (const { name, topicId } of topics) if (!this.#ids.has(name)) this.#ids.set(name, topicId)
    this.#timer ??= setInterval(() => void this.#look(), lookMs).unref()
  }

  /** What Kafka calls a topic now. */
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

  /** A process that serves from memory and Redis alone would not notice by its requests. */
  async #look(): Promise<void> {
    try {
      for (const [topic, topicId] of await this.#askIds([...this.#ids.keys()])) this.note(topic, topicId)
    } catch {
      // Kafka is away: whatever needs it says so.
    }
  }
}
