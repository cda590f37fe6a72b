import { partitionKey } from '#kafka'
import type { OwnedPartition, PartitionGroup } from '#ownership'
import type { ProjectionInfo } from '#projections'

const intervalMs = 5_000

/** Shows Kafka's tools how far the group is: in each partition as far as the slowest projection that serves. */
export class GroupOffsets {
  readonly #list: () => Promise<readonly ProjectionInfo[]>
  readonly #group: Pick<PartitionGroup<OwnedPartition>, 'noteOffsets'>
  #timer: NodeJS.Timeout | undefined

  constructor(
    list: () => Promise<readonly ProjectionInfo[]>,
    group: Pick<PartitionGroup<OwnedPartition>, 'noteOffsets'>,
  ) {
    this.#list = list
    this.#group = group
  }

  start(): void {
    // What cannot be told now is told next time.
    this.#timer = setInterval(() => void this.note().catch(() => undefined), intervalMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async note(): Promise<void> {
    const reached = slowest(await this.#list())
    await this.#group.noteOffsets((place) => reached.get(partitionKey(place)))
  }
}

function slowest(projections: readonly ProjectionInfo[]): ReadonlyMap<string, number> {
  const reached = new Map<string, number>()
  for (const { serving, generations } of projections) {
    const partitions = generations.find(({ id }) => id === serving)?.partitions ?? []
    for (const { topic, partition, checkpoint } of partitions) {
      const key = partitionKey({ topic, partition })
      reached.set(key, Math.min(checkpoint, reached.get(key) ?? Infinity))
    }
  }
  return reached
}
