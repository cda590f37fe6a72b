import { vi } from 'vitest'

import { formatPartition, type Position, type Projection, type TopicPartition } from '#domain'

import type { EventFeed } from '#event-log/records'
import type { AppliedStep, DeadLetters, EngineObserver, EngineSettings } from '../engine/engine-parts.ts'
import { ProjectionRunner } from '../engine/projection-runner.ts'
import type { GenerationState } from '../view-store/generations.ts'
import type { ViewSet } from '../view-store/view-set.ts'
import type { ViewStore } from '../view-store/view-store.ts'

export interface InstanceOptions {
  readonly projection: Projection
  readonly feed: EventFeed
  readonly store: ViewStore
  /** All of the projection. */
  readonly sources: readonly TopicPartition[]
  /** Those of this instance; default all. */
  readonly assigned?: readonly TopicPartition[]
  readonly topicIds?: Readonly<Record<string, string>>
  readonly settings?: Partial<EngineSettings>
  readonly deadLetters?: DeadLetters
}

const settings: EngineSettings = {
  batchEventsMax: 10,
  triesMax: 3,
  retryDelayMsMin: 1,
  retryDelayMsMax: 2,
  pollMs: 5,
}

/** A projection as one process builds it, with short intervals; it records everything that it observes. */
export class ProjectorInstance implements EngineObserver {
  readonly runner: ProjectionRunner
  readonly steps: AppliedStep[] = []
  readonly failures: {
    readonly position: Position
    readonly message: string
    readonly isLastTry: boolean
  }[] = []
  readonly stops: string[] = []
  readonly parkings: Position[] = []
  readonly refusals: string[] = []
  readonly switches: string[] = []
  readonly damages: string[] = []
  readonly problems: string[] = []

  private constructor(options: InstanceOptions) {
    const { projection, sources, feed, store } = options
    const topicIds = Object.fromEntries(sources.map(({ topic }) => [topic, `${topic} of old`]))
    this.runner = new ProjectionRunner({
      projection,
      sources,
      topicIds: options.topicIds ?? topicIds,
      parts: {
        store,
        feed,
        observer: this,
        deadLetters: options.deadLetters ?? { add: () => Promise.resolve() },
        settings: { ...settings, ...options.settings },
      },
    })
  }

  static async start(options: InstanceOptions): Promise<ProjectorInstance> {
    await options.store.prepare(options.projection)
    const instance = new ProjectorInstance(options)
    instance.runner.start()
    instance.runner.assign(options.assigned ?? options.sources)
    return instance
  }

  stop(): Promise<void> {
    return this.runner.stop()
  }

  applied(step: AppliedStep): void {
    this.steps.push(step)
  }

  failed(_set: ViewSet, position: Position, { message }: Error, isLastTry: boolean): void {
    this.failures.push({ position, message, isLastTry })
  }

  stopped(_set: ViewSet, source: TopicPartition): void {
    this.stops.push(formatPartition(source))
  }

  parked(_set: ViewSet, position: Position): void {
    this.parkings.push(position)
  }

  refused(_set: ViewSet, _source: TopicPartition, outcome: string): void {
    this.refusals.push(outcome)
  }

  switched({ generation }: ViewSet): void {
    this.switches.push(generation)
  }

  damaged({ generation }: ViewSet, damage: string): void {
    this.damages.push(`${generation}: ${damage}`)
  }

  problem(_projection: string, error: unknown): void {
    this.problems.push(error instanceof Error ? error.message : String(error))
  }
}

/** Waits until it no longer throws, for at most four seconds. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 4_000, interval: 2 })

export async function servingState(store: ViewStore, projection: Projection): Promise<GenerationState> {
  const serving = (await store.generations.list(projection)).find(({ status }) => status === 'serving')
  if (serving === undefined) throw new Error(`no generation of ${projection.name} serves`)
  return serving
}

/** All views of a generation by key. Default: the serving one. */
export async function allViews(
  store: ViewStore,
  projection: Projection,
  generation?: string,
): Promise<Record<string, unknown>> {
  const lookup = { descending: false, limit: 10_000, ...(generation !== undefined && { generation }) }
  const page = await store.views.page(projection, lookup)
  if (page.outcome !== 'found') throw new Error(`expected views, got ${page.outcome}`)
  return Object.fromEntries(page.found.views.map(({ key, json }) => [key, JSON.parse(json) as unknown]))
}
