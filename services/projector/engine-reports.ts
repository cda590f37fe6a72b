import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'

import { formatPartition, formatPosition, type Position, type TopicPartition } from '#domain'
import { namedState } from '#event-log'
import { type AppliedStep, type EngineObserver, type ViewSet } from '#projections'

import type { AppliedEvents } from './applied-events.ts'
import type { ProjectorMetrics } from './projector-metrics.ts'
import { traceStep } from './trace-step.ts'

interface ReportTargets {
  readonly metrics: ProjectorMetrics
  readonly logger: Logger
  readonly appliedEvents: AppliedEvents
  /** Notified of changes for the changelog of a projection. */
  readonly publishers: { wake(projection: string): void }
}

/** Messages that are remembered to avoid repetition. */
const reportedMax = 1_000
/** Minimum interval at which a lasting problem is logged. */
const repeatMs = 10_000

/** Forwards the reports of the engine to metrics, traces, the log and waiting reads. */
export class EngineReports implements EngineObserver {
  readonly #to: ReportTargets
  readonly #reported = new LRUCache<string, true>({ max: reportedMax })

  constructor(to: ReportTargets) {
    this.#to = to
  }

  applied(step: AppliedStep): void {
    const { name } = step.set.projection
    this.#to.metrics.applied(step)
    traceStep(step)
    this.#to.appliedEvents.applied(step)
    if (step.changes > 0) this.#to.publishers.wake(name)
  }

  failed(set: ViewSet, position: Position, error: Error, isLastTry: boolean): void {
    this.#to.metrics.failed(set)
    const next = isLastTry ? 'this was the last attempt' : 'retrying'
    this.#to.logger.warn({ ...about(set, position), err: error }, `an event cannot be applied: ${next}`)
  }

  stopped(set: ViewSet, source: TopicPartition, error: Error): void {
    this.#to.logger.error(
      {
        projection: set.projection.name,
        generation: set.generation,
        source: formatPartition(source),
        err: error,
      },
      'a projection has stopped in one partition: fix the cause of the error, then run `annals projection resume`',
    )
  }

  parked(set: ViewSet, position: Position, error: Error): void {
    this.#to.metrics.parked(set)
    this.#to.logger.error({ ...about(set, position), err: error }, 'an event was parked')
  }

  refused(set: ViewSet, source: TopicPartition, outcome: 'checkpoint-moved' | 'view-changed'): void {
    this.#to.metrics.refused(set, outcome)
    if (outcome === 'view-changed') return
    this.#to.logger.info(
      { projection: set.projection.name, generation: set.generation, source: formatPartition(source) },
      'the store is at another checkpoint: continuing from there',
    )
  }

  switched({ projection, generation }: ViewSet): void {
    this.#to.logger.info({ projection: projection.name, generation }, 'a new generation is serving')
    this.#to.publishers.wake(projection.name)
  }

  damaged({ projection: { name }, generation }: ViewSet, damage: string): void {
    this.#to.metrics.damaged(name)
    this.#to.logger.error(
      { projection: name, generation, damage },
      'some views were dropped or emptied: they are rebuilt from the log',
    )
  }

  problem(projection: string, error: unknown): void {
    const named = namedState(error)
    const message = named?.message ?? (error instanceof Error ? error.message : String(error))
    // All partitions of all projections report the same problem repeatedly. Named states are reported once.
    if (this.#isReported(`${projection} ${message}`, named === undefined ? repeatMs : 0)) return
    if (named === undefined) {
      this.#to.logger.warn({ projection, err: error }, 'a projection is delayed: retrying')
    } else {
      this.#to.logger.error(
        { projection, state: named.code },
        `a projection waits for an operator: ${message}`,
      )
    }
  }

  /** @param ttl milliseconds until the message is reported again; 0: never. */
  #isReported(key: string, ttl: number): boolean {
    if (this.#reported.has(key)) return true
    this.#reported.set(key, true, { ttl })
    return false
  }
}

const about = ({ projection, generation }: ViewSet, position: Position) => ({
  projection: projection.name,
  generation,
  position: formatPosition(position),
})
