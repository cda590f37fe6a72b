import { eventTopic, formatPosition, type Projection, type RecordedEvent } from '#domain'
import type { DeadLetter, GenerationInfo, GenerationStatus, PartitionInfo } from '#projections'

export interface InMemoryView {
  readonly view: unknown
  readonly changedAt: string
}

interface GenerationStart {
  readonly id: string
  readonly status: GenerationStatus
  /** The shared log, which grows. */
  readonly log: readonly RecordedEvent[]
  /** Selects events, for a generation of the past. */
  readonly counts?: (event: RecordedEvent) => boolean
  /** The length of the log when the generation was created, where a generation of the past ends. */
  readonly range: number
}

/** One generation of a projection's views, built event by event. Every source topic has one partition, 0. */
export class InMemoryGeneration {
  readonly id: string
  status: GenerationStatus
  readonly views = new Map<string, InMemoryView>()
  deadLetters: DeadLetter[] = []
  /** The number of the log's events it has processed. */
  applied = 0
  stopped: PartitionInfo['stopped'] | undefined
  readonly #projection: Projection
  readonly #start: GenerationStart
  readonly #createdAt = new Date().toISOString()

  constructor(projection: Projection, start: GenerationStart) {
    this.id = start.id
    this.status = start.status
    this.#projection = projection
    this.#start = start
  }

  get end(): number {
    return this.#start.counts === undefined ? this.#start.log.length : this.#start.range
  }

  /** Applies up to `count` events. @returns the keys of the views that changed, in order */
  advance(count: number): readonly string[] {
    const changed: string[] = []
    for (let left = count; left > 0 && this.applied < this.end && this.stopped === undefined; left--) {
      const key = this.#step(this.#start.log[this.applied] as RecordedEvent)
      if (key !== undefined) changed.push(key)
    }
    return changed
  }

  /** @returns the key of the view that changed. @throws the reducer's error */
  apply(event: RecordedEvent): string | undefined {
    const key = this.#projection.handles(event.type) ? this.#projection.keyOf(event) : undefined
    if (key === undefined) return undefined
    const view = this.#projection.apply(this.views.get(key)?.view, event)
    if (view === null) this.views.delete(key)
    else this.views.set(key, { view, changedAt: event.timestamp })
    return key
  }

  describe(): GenerationInfo {
    const { viewVersion, sources } = this.#projection
    return {
      id: this.id,
      status: this.status,
      viewVersion,
      createdAt: this.#createdAt,
      views: this.views.size,
      deadLetters: this.deadLetters.length,
      progress: { done: this.applied, total: this.end, rate: this.applied, ...this.#eta() },
      partitions: sources.map((source) => this.#partition(eventTopic(source))),
    }
  }

  #eta(): { etaSeconds?: number } {
    const left = this.end - this.applied
    return left === 0 || this.applied === 0 ? {} : { etaSeconds: left / this.applied }
  }

  #partition(topic: string): PartitionInfo {
    const { log } = this.#start
    const count = (until: number) =>
      log.slice(0, until).filter(({ position }) => position.topic === topic).length
    const stopped = this.stopped?.position.startsWith(`${topic}:`) === true ? this.stopped : undefined
    const checkpoint = count(this.applied)
    return { topic, partition: 0, checkpoint, lag: count(this.end) - checkpoint, ...(stopped && { stopped }) }
  }

  #isMine(event: RecordedEvent): boolean {
    const { sources } = this.#projection
    const { counts = () => true } = this.#start
    return sources.some((source) => event.position.topic === eventTopic(source)) && counts(event)
  }

  #step(event: RecordedEvent): string | undefined {
    try {
      const key = this.#isMine(event) ? this.apply(event) : undefined
      this.applied += 1
      return key
    } catch (error) {
      this.#fail({ position: formatPosition(event.position), error: (error as Error).message })
      return undefined
    }
  }

  #fail(failure: Pick<DeadLetter, 'position' | 'error'>): void {
    const now = new Date().toISOString()
    if (this.#projection.onError === 'stop') {
      this.stopped = { ...failure, since: now }
      return
    }
    this.deadLetters.push({ ...failure, at: now })
    this.applied += 1
  }
}
