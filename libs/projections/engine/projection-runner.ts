import { pause } from '#async'
import { formatPartition, type Projection, type TopicPartition } from '#domain'

import type { Generation, Until } from '../view-store/generation.ts'
import type { GenerationState } from '../view-store/generations.ts'
import type { EngineParts } from './engine-parts.ts'
import { type Gate, openGate, SerialGate } from './gate.ts'
import { GenerationPlanner } from './generation-planner.ts'
import { PartitionRunner } from './partition-runner.ts'
import { Switcher } from './switcher.ts'

interface ProjectionRunnerOptions {
  readonly projection: Projection
  /** All source partitions, and Kafka's ids of their topics. */
  readonly sources: readonly TopicPartition[]
  readonly topicIds: Readonly<Record<string, string>>
  readonly parts: EngineParts
}

/** A source partition that this process applies to a generation. */
interface Wanted {
  readonly generation: GenerationState
  readonly source: TopicPartition
}

/**
 * Builds one projection from the source partitions that are assigned to this process: the serving generation, and those that
 * are building beside it. It polls the store for work, so that instances need not know of each other, and notice a
 * store that was emptied.
 */
export class ProjectionRunner {
  readonly projection: Projection
  readonly #options: ProjectionRunnerOptions
  readonly #planner: GenerationPlanner
  readonly #switcher: Switcher
  readonly #assigned = new Map<string, TopicPartition>()
  readonly #runners = new Map<string, PartitionRunner>()
  readonly #gates = new Map<string, Gate>()
  readonly #stopping = new AbortController()
  #awake = new AbortController()
  #isPrepared = false
  #running: Promise<void> | undefined

  constructor(options: ProjectionRunnerOptions) {
    this.projection = options.projection
    this.#options = options
    this.#planner = new GenerationPlanner(options)
    this.#switcher = new Switcher(options.projection, options.parts)
  }

  /** Adds a generation beside the serving one. @returns its id. */
  async rebuild(until?: Until): Promise<string> {
    const id = await this.#planner.rebuild(until)
    this.wake()
    return id
  }

  /** Whether a generation was built from topics that were deleted before this process started. */
  isOfOldLog(generation: Generation): boolean {
    return this.#planner.isOfOldLog(generation)
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.wake()
    await this.#running
    await this.#stopRunners([...this.#runners.keys()])
  }

  /** Assigns source partitions to this process; those of other projections are ignored. */
  assign(sources: readonly TopicPartition[]): void {
    for (const source of sources) {
      if (this.#isSource(source)) this.#assigned.set(formatPartition(source), source)
    }
    this.wake()
  }

  /** Revokes source partitions. Resolves once this process no longer applies anything from them. */
  async revoke(sources: readonly TopicPartition[]): Promise<void> {
    const keys = new Set(sources.map(formatPartition))
    for (const key of keys) this.#assigned.delete(key)
    await this.#stopRunners(
      [...this.#runners].filter(([, { source }]) => keys.has(formatPartition(source))).map(([id]) => id),
    )
  }

  /** Polls the store at once. */
  wake(): void {
    this.#awake.abort()
  }

  async #run(): Promise<void> {
    const { settings, observer } = this.#options.parts
    while (!this.#stopping.signal.aborted) {
      this.#awake = new AbortController()
      let waitMs = settings.pollMs
      try {
        waitMs = await this.#pollOnce()
      } catch (error) {
        observer.problem(this.projection.name, error)
      }
      await pause(waitMs, AbortSignal.any([this.#awake.signal, this.#stopping.signal]))
    }
  }

  /** @returns after how many milliseconds to poll again. */
  async #pollOnce(): Promise<number> {
    await this.#prepare()
    const before = new Map([...this.#runners].map(([id, { checkpoint }]) => [id, checkpoint]))
    const states = await this.#options.parts.store.generations.list(this.projection)
    if (await this.#planner.meetNeed(states)) return 0
    const wanted = this.#wanted(states)
    await this.#stopRunners([...this.#runners.keys()].filter((id) => !wanted.has(id)))
    for (const [id, { generation, source }] of wanted) {
      // It may have been revoked in the meantime.
      if (!this.#assigned.has(formatPartition(source))) continue
      const runner = this.#runners.get(id)
      if (runner === undefined) this.#startRunner(id, generation, source)
      else runner.compare(before.get(id), generation)
    }
    this.#dropGates(states)
    return (await this.#switchTo(states)) ?? this.#options.parts.settings.pollMs
  }

  /** A store that does not answer when this process starts is prepared once it does. */
  async #prepare(): Promise<void> {
    if (this.#isPrepared) return
    await this.#options.parts.store.prepare(this.projection)
    this.#isPrepared = true
  }

  /** Switches only to a generation that is built here. A generation of another build may be abandoned, so nothing is held for it. */
  async #switchTo(states: readonly GenerationState[]): Promise<number | undefined> {
    const building = states.find((state) => state.status === 'building' && this.#isMadeHere(state))
    const serving = states.find(({ status }) => status === 'serving')
    if (building === undefined || serving === undefined) return undefined
    return this.#switcher.trySwitch(building, serving)
  }

  #wanted(states: readonly GenerationState[]): ReadonlyMap<string, Wanted> {
    const active = states.filter((state) => state.status !== 'retired' && this.#isMadeHere(state))
    return new Map(
      active.flatMap((generation) =>
        [...this.#assigned].map(
          ([key, source]) => [`${generation.id}/${key}`, { generation, source }] as const,
        ),
      ),
    )
  }

  #isMadeHere(state: GenerationState): boolean {
    return state.damage === undefined && this.#planner.canMake(state)
  }

  #startRunner(id: string, generation: Generation, source: TopicPartition): void {
    const { projection } = this
    const gate = this.#gateOf(generation)
    const runner = new PartitionRunner({ projection, generation, source, gate, parts: this.#options.parts })
    this.#runners.set(id, runner)
    runner.start()
  }

  #gateOf({ id }: Generation): Gate {
    const gate = this.#gates.get(id) ?? (this.projection.keyedBy === 'across' ? new SerialGate() : openGate)
    this.#gates.set(id, gate)
    return gate
  }

  /** Forgets the gates of generations that are gone. */
  #dropGates(states: readonly GenerationState[]): void {
    for (const id of this.#gates.keys()) {
      if (!states.some((state) => state.id === id)) this.#gates.delete(id)
    }
  }

  async #stopRunners(ids: readonly string[]): Promise<void> {
    await Promise.all(
      ids.map(async (id) => {
        const runner = this.#runners.get(id)
        this.#runners.delete(id)
        await runner?.stop()
      }),
    )
  }

  #isSource(source: TopicPartition): boolean {
    return this.#options.sources.some((known) => formatPartition(known) === formatPartition(source))
  }
}
