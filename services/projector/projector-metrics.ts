import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

import { formatPartition, type TopicPartition } from '#domain'
import { type AppliedStep, type ViewSet } from '#projections'

const generationLabels = ['projection', 'generation'] as const

/** Counters and histograms of the projector. {@link addProjectionGauges} adds the status of its projections. */
export class ProjectorMetrics {
  readonly #registry: Registry
  readonly #events: Counter<'projection' | 'generation'>
  readonly #skipped: Counter<'projection' | 'generation'>
  readonly #changes: Counter<'projection' | 'generation'>
  readonly #failures: Counter<'projection' | 'generation'>
  readonly #parked: Counter<'projection' | 'generation'>
  readonly #damaged: Counter<'projection'>
  readonly #refused: Counter<'projection' | 'reason'>
  readonly #batchEvents: Histogram
  readonly #movedAtMs = new Map<string, number>()
  readonly #startedAtMs = Date.now()

  constructor(registry: Registry) {
    this.#registry = registry
    const registers = [registry]
    const counter = (name: string, help: string) =>
      new Counter({ name: `annals_projector_${name}`, help, registers, labelNames: generationLabels })
    this.#events = counter('events_total', 'Applied events, including skipped ones')
    this.#skipped = counter(
      'skipped_total',
      'Events that changed no view: their type is not handled, or they have no view',
    )
    this.#changes = counter('changes_total', 'Changes of views, one for each view and step')
    this.#failures = counter('failures_total', 'Failed attempts to apply an event')
    this.#parked = counter('dead_letters_total', 'Parked events')
    this.#damaged = new Counter({
      name: 'annals_projector_damaged_generations_total',
      help: 'Generations found damaged: some of their views were dropped or emptied',
      labelNames: ['projection'],
      registers,
    })
    this.#refused = new Counter({
      name: 'annals_projector_refused_steps_total',
      help: 'Steps that the store rejected: checkpoint-moved (a stale instance, or a store that lost or regained state), view-changed (a collision)',
      labelNames: ['projection', 'reason'],
      registers,
    })
    this.#batchEvents = new Histogram({
      name: 'annals_projector_batch_events',
      help: 'Events applied in one step',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
      registers,
    })
  }

  /** Registers the memory that subscribers of views share. */
  watchSubscriptions(changelog: { readonly keptBytes: number }): void {
    new Gauge({
      name: 'annals_projector_subscription_bytes',
      help: 'Approximate memory of decoded changes that subscribers share',
      registers: [this.#registry],
      collect() {
        this.set(changelog.keptBytes)
      },
    })
  }

  applied({ set, source, events, skipped, changes }: AppliedStep): void {
    const labels = labelsOf(set)
    this.#events.inc(labels, events)
    this.#skipped.inc(labels, skipped)
    this.#changes.inc(labels, changes)
    if (events > 0) this.#batchEvents.observe(events)
    this.#movedAtMs.set(`${set.generation}/${formatPartition(source)}`, Date.now())
  }

  /** The time when a checkpoint last moved here; milliseconds since 1970. */
  movedAtMs(generation: string, source: TopicPartition): number {
    return this.#movedAtMs.get(`${generation}/${formatPartition(source)}`) ?? this.#startedAtMs
  }

  failed(set: ViewSet): void {
    this.#failures.inc(labelsOf(set))
  }

  damaged(projection: string): void {
    this.#damaged.inc({ projection })
  }

  parked(set: ViewSet): void {
    this.#parked.inc(labelsOf(set))
  }

  refused({ projection }: ViewSet, reason: 'checkpoint-moved' | 'view-changed'): void {
    this.#refused.inc({ projection: projection.name, reason })
  }
}

const labelsOf = ({ projection, generation }: ViewSet) => ({ projection: projection.name, generation })
