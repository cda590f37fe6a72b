import { eventTopic, formatPartition, type Projection, type TopicPartition } from '#domain'
import type { OwnedPartition, PartitionGroup } from '#ownership'
import type { GenerationState } from '#projections'

import type { GenerationLooks, GenerationWatch } from './generation-watch.ts'
import { checkpointIn } from './projection-infos.ts'

const intervalMs = 5_000

/** A projection and its generations as last read. */
interface Seen {
  readonly projection: Projection
  readonly states: readonly GenerationState[]
}

/** Commits the progress of the group for Kafka's tools: in each partition the offset of the slowest serving projection. */
export class GroupOffsets {
  readonly #watch: GenerationWatch
  readonly #projections: readonly Projection[]
  readonly #group: Pick<PartitionGroup<OwnedPartition>, 'noteOffsets'>
  #looks: readonly GenerationLooks[] = []

  constructor(
    watch: GenerationWatch,
    projections: readonly Projection[],
    group: Pick<PartitionGroup<OwnedPartition>, 'noteOffsets'>,
  ) {
    this.#watch = watch
    this.#projections = projections
    this.#group = group
  }

  start(): void {
    this.#looks = this.#projections.map((projection) => this.#watch.looks(projection))
    if (this.#looks.length > 0) void this.#run()
  }

  stop(): void {
    for (const looks of this.#looks) looks.end()
  }

  async #run(): Promise<void> {
    for (;;) {
      try {
        const all = await Promise.all(this.#looks.map((looks) => looks.next(intervalMs)))
        if (all.includes(undefined)) return
        const seen = this.#projections.map((projection, index) => ({ projection, states: all[index] ?? [] }))
        await this.#group.noteOffsets((place) => slowest(seen, place))
      } catch {
        // The next read may succeed. Nothing depends on these offsets.
      }
    }
  }
}

/** @returns undefined if no serving projection reads the partition. */
function slowest(seen: readonly Seen[], place: TopicPartition): number | undefined {
  const checkpoints = seen
    .filter(({ projection: { sources } }) => sources.map(eventTopic).includes(place.topic))
    .flatMap(({ states }) => states.find(({ status }) => status === 'serving') ?? [])
    .map((serving) => checkpointIn(serving, formatPartition(place)))
  return checkpoints.length === 0 ? undefined : Math.min(...checkpoints)
}
