import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

import { type ErrorCode, EventStoreError } from '#event-store'
import type { EarlyStep } from '#ownership'
import type { CatchUpProgress } from '#redis-index'

import type { OwnerMemory } from './memory/term-memory.ts'

type RoundStep = 'check' | 'append' | 'commit'

/** A series that starts at 1 shows no increase, so series of alerts start at 0. */
const refusalsFromTheStart: readonly ErrorCode[] = [
  'wrong-expected-version',
  'overloaded',
  'unavailable',
  'not-owner',
  'outcome-unknown',
  'internal',
]

const earlySteps: readonly EarlyStep[] = ['taken', 'kept', 'handed-back', 'lost']

/** The metrics of the writer. Names end in their units. */
export class WriterMetrics {
  readonly appends: Counter
  readonly events: Counter
  readonly duplicates: Counter
  readonly takeOverSeconds: Histogram
  readonly batchEvents: Histogram
  readonly forwarded: Counter
  readonly unreadableSnapshots: Counter
  readonly foreignRecords: Counter<'topic' | 'partition'>
  readonly loadEvents: Histogram<'snapshot'>
  readonly earlyTakeOvers: Counter<'step'>
  readonly #registry: Registry
  readonly #catchUpEvents: Counter
  readonly #catchUpLag: Gauge<'topic' | 'partition'>
  readonly #refusals: Counter<'code'>
  readonly #stepSeconds: Histogram<'step'>

  /** @param queueDepth reads the number of queued events at each scrape. */
  constructor(registry: Registry, queueDepth: () => number) {
    this.#registry = registry
    const registers = [registry]
    const counter = (name: string, help: string) => new Counter({ name, help, registers })
    this.appends = counter('annals_writer_appends_total', 'Appends accepted')
    this.events = counter('annals_writer_events_total', 'Events appended')
    this.duplicates = counter(
      'annals_writer_duplicates_total',
      'Appends that were answered with their first result',
    )
    this.#catchUpEvents = counter(
      'annals_writer_catch_up_events_total',
      'Events applied to the index from the log',
    )
    this.forwarded = counter('annals_writer_forwarded_total', 'Requests forwarded to the owner')
    this.unreadableSnapshots = counter(
      'annals_writer_unreadable_snapshots_total',
      'Snapshots that could not be read for a load',
    )
    this.foreignRecords = new Counter({
      name: 'annals_writer_foreign_records_total',
      help: 'Foreign records in event topics: no writer appended them, so they are skipped',
      labelNames: ['topic', 'partition'],
      registers,
    })
    this.loadEvents = loadEventsOf(registry)
    this.#refusals = new Counter({
      name: 'annals_writer_refusals_total',
      help: 'Appends that were rejected, by error code',
      labelNames: ['code'],
      registers,
    })
    for (const code of refusalsFromTheStart) this.#refusals.inc({ code }, 0)
    this.earlyTakeOvers = new Counter({
      name: 'annals_writer_early_take_overs_total',
      help: 'Partitions taken over from a dead writer ahead of the group, and what became of them',
      labelNames: ['step'],
      registers,
    })
    for (const step of earlySteps) this.earlyTakeOvers.inc({ step }, 0)
    this.takeOverSeconds = takeOverSecondsOf(registry)
    this.batchEvents = new Histogram({
      name: 'annals_writer_batch_events',
      help: 'Events in one record batch',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
      registers,
    })
    this.#stepSeconds = stepSecondsOf(registry)
    this.#catchUpLag = new Gauge({
      name: 'annals_writer_catch_up_lag_offsets',
      help: 'Offsets between the index and the log while a partition catches up',
      labelNames: ['topic', 'partition'],
      registers,
    })
    gaugeOf(registry, 'annals_writer_queue_events', 'Events in the queue', queueDepth)
  }

  /** Reports the memory of owned partitions. */
  watchMemory({ streams, ids }: OwnerMemory): void {
    const registers = [this.#registry]
    new Gauge({
      name: 'annals_writer_memory_bytes',
      help: 'Memory of the writer for recently used streams and for remembered event ids',
      labelNames: ['what'],
      registers,
      collect() {
        this.set({ what: 'streams' }, streams.bytes)
        this.set({ what: 'ids' }, ids.bytes)
      },
    })
  }

  /** @param downCount reads the number of other writers whose ports refuse connections. */
  watchPeers(downCount: () => number): void {
    gaugeOf(
      this.#registry,
      'annals_writer_peers_down',
      'Other writers of the group whose ports refuse connections',
      downCount,
    )
  }

  /** Registers the memory that subscribers of categories share. */
  watchSubscriptions(categories: { readonly keptBytes: number }): void {
    gaugeOf(
      this.#registry,
      'annals_writer_subscription_bytes',
      'Approximate memory of decoded events that subscribers share',
      () => categories.keptBytes,
    )
  }

  caughtUp(topic: string, partition: number, { nextOffset, endOffset, added }: CatchUpProgress): void {
    this.#catchUpEvents.inc(added)
    this.#catchUpLag.set({ topic, partition }, endOffset - nextOffset)
  }

  /** @param error that the caller receives. */
  refused(error: unknown): void {
    this.#refusals.inc({ code: error instanceof EventStoreError ? error.code : 'internal' })
  }

  async timed<T>(step: RoundStep, work: () => Promise<T>): Promise<T> {
    const stop = this.#stepSeconds.startTimer({ step })
    try {
      return await work()
    } finally {
      stop()
    }
  }
}

const takeOverSecondsOf = (registry: Registry) =>
  new Histogram({
    name: 'annals_writer_take_over_seconds',
    help: 'Time from the fence to serving, including catch-up',
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
    registers: [registry],
  })

const stepSecondsOf = (registry: Registry) =>
  new Histogram({
    name: 'annals_writer_step_seconds',
    help: 'Time of each step of a round',
    labelNames: ['step'],
    buckets: [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.03, 0.1, 0.3, 1, 3],
    registers: [registry],
  })

const loadEventsOf = (registry: Registry) =>
  new Histogram({
    name: 'annals_writer_load_events',
    help: 'Events that a load reads after its snapshot, or in total without one',
    labelNames: ['snapshot'],
    buckets: [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000],
    registers: [registry],
  })

/** Registers a gauge that is read at each scrape. */
function gaugeOf(registry: Registry, name: string, help: string, valueNow: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(valueNow())
    },
  })
}
