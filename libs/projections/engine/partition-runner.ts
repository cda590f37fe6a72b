import { Backoff, noJitter, pause } from '#async'
import { formatPartition, type TopicPartition } from '#domain'
import type { FedChunk } from '#event-log/records'

import type { GenerationState } from '../view-store/generations.ts'
import type { ViewSet } from '../view-store/view-set.ts'
import { BatchApplier, type BatchEnding, type PartitionWork } from './batch-applier.ts'
import { isStopped } from './standstill.ts'

/**
 * Builds one generation of a projection from one source partition: it reads, folds, and changes views and checkpoint in one
 * step, so that each event counts exactly once whatever crashes. It trusts only the store: whenever the checkpoint there
 * differs from its own, it resumes from the store's.
 */
export class PartitionRunner {
  readonly source: TopicPartition
  readonly set: ViewSet
  readonly #work: PartitionWork
  readonly #applier: BatchApplier
  readonly #stopping = new AbortController()
  #restart = new AbortController()
  #checkpoint: number | undefined
  #isWaiting = false
  /** Steps in a row that the store has refused. */
  #refusals = 0
  #running: Promise<void> | undefined

  constructor(work: PartitionWork) {
    this.#work = work
    this.#applier = new BatchApplier(work)
    this.source = work.source
    this.set = { projection: work.projection, generation: work.generation.id }
  }

  start(): void {
    this.#running = this.#run()
  }

  /** The next offset that is not applied yet, as far as this runner knows. */
  get checkpoint(): number | undefined {
    return this.#checkpoint
  }

  /** Ends after the step under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /**
   * Restarts the runner if the store disagrees: it lost or regained state, or the partition was stopped or resumed.
   * @param before this runner's checkpoint just before the store was asked: it may have advanced since.
   */
  compare(before: number | undefined, stored: GenerationState): void {
    const key = formatPartition(this.source)
    const isBehind = before !== undefined && (stored.checkpoints.get(key) ?? -1) < before
    if (isBehind || this.#isWaiting !== isStopped(stored, key)) this.#restart.abort()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const { retryDelayMsMin: delayMsMin, retryDelayMsMax: delayMsMax } = this.#settings
    const backoff = new Backoff({ delayMsMin, delayMsMax }, noJitter)
    while (!signal.aborted) {
      this.#restart = new AbortController()
      try {
        const either = AbortSignal.any([signal, this.#restart.signal])
        const ending = await this.#follow(either)
        // The end is not final: a store that is restored from an older copy needs all of it again.
        if (ending === 'done') await this.#untilRestarted(either)
        if (ending === 'gone') await pause(this.#settings.pollMs, signal)
        backoff.reset()
      } catch (error) {
        this.#observer.problem(this.set.projection.name, error)
        await pause(backoff.nextMs(), signal)
      }
    }
  }

  async #follow(signal: AbortSignal): Promise<BatchEnding | 'done'> {
    const { feed } = this.#work.parts
    const key = formatPartition(this.source)
    const state = await this.#active()
    if (state === undefined) return 'gone'
    let from = (this.#checkpoint = state.checkpoints.get(key))
    this.#isWaiting = isStopped(state, key)
    if (this.#isWaiting) {
      await this.#untilRestarted(signal)
      return 'again'
    }
    if (this.#isOver(from)) return 'done'
    for await (const chunk of feed.follow(this.source, from ?? 0, signal)) {
      const ending = await this.#applyChunk(from, chunk, signal)
      if (ending === 'gone') await this.#checkGone()
      if (ending !== undefined) return ending
      this.#refusals = 0
      from = this.#checkpoint
      if (this.#isOver(from)) return 'done'
    }
    return 'again'
  }

  /** The generation, if it accepts steps. */
  async #active(): Promise<GenerationState | undefined> {
    const states = await this.#work.parts.store.generations.list(this.set.projection)
    return states.find(
      ({ id, status, damage }) => id === this.set.generation && status !== 'retired' && damage === undefined,
    )
  }

  /** @throws Error when the store keeps refusing a generation that it lists. Otherwise the standstill would go unnoticed. */
  async #checkGone(): Promise<void> {
    if ((await this.#active()) === undefined) return
    this.#refusals += 1
    if (this.#refusals === 1) return
    const { projection, generation } = this.set
    throw new Error(
      `the store refuses steps of generation ${generation} of projection ${projection.name} as gone, but lists it as sound: ` +
        `check whether its tables are unchanged, or rebuild it with \`annals projection rebuild ${projection.name}\``,
    )
  }

  /** The owner of this runner polls the store, and restarts the runner when there is work again. */
  async #untilRestarted(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await pause(60_000, signal)
  }

  /** A look at the past ends with its range. */
  #isOver(checkpoint: number | undefined): boolean {
    return checkpoint !== undefined && checkpoint >= this.#end
  }

  get #end(): number {
    const { until, range } = this.#work.generation
    return until === undefined ? Infinity : (range[formatPartition(this.source)]?.end ?? 0)
  }

  /** Applies a chunk of the log, step by step. @returns why it ended early; undefined when all of it is applied. */
  async #applyChunk(
    from: number | undefined,
    chunk: FedChunk,
    signal: AbortSignal,
  ): Promise<BatchEnding | undefined> {
    const events = chunk.events.filter(({ position }) => position.offset < this.#end)
    const to = Math.min(chunk.nextOffset, this.#end)
    const { batchEventsMax } = this.#settings
    for (let at = 0, start = from; at < events.length || start !== to; at += batchEventsMax) {
      if (signal.aborted) return 'again'
      const next = events[at + batchEventsMax]
      const batch = {
        from: start,
        events: events.slice(at, at + batchEventsMax),
        to: next?.position.offset ?? to,
      }
      const ending = await this.#applier.apply(batch, signal)
      if (ending !== undefined) return ending
      start = this.#checkpoint = batch.to
    }
    return undefined
  }

  get #settings() {
    return this.#work.parts.settings
  }

  get #observer() {
    return this.#work.parts.observer
  }
}
