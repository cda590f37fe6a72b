import { partitionKey } from '#domain'
import type { NotedOffset, Ownership } from '#kafka'
import type { ProjectionInfo } from '#projections'

const intervalMs = 5_000

/** Shows Kafka's tools how far the group is: in each partition as far as the slowest projection that serves. */
export class GroupOffsets {
  readonly #list: () => Promise<readonly ProjectionInfo[]>
  readonly #ownership: Pick<Ownership, 'noteOffsets' | 'partitions'>
  #timer: NodeJS.Timeout | undefined

  constructor(
    list: () => Promise<readonly ProjectionInfo[]>,
    ownership: Pick<Ownership, 'noteOffsets' | 'partitions'>,
  ) {
    this.#list = list
    this.#ownership = ownership
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
    const offsets = this.#ownership.partitions.flatMap(({ topic, partition }): NotedOffset[] => {
      const offset = reached.get(partitionKey({ topic, partition }))
      return offset === undefined ? [] : [{ topic, partition, offset }]
    })
    if (offsets.length > 0) await this.#ownership.noteOffsets(offsets)
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
