import { LRUCache } from 'lru-cache'

import { partitionKey } from '#domain'

import { untilAnswered } from './attempts.ts'
import type { KafkaCluster } from './cluster.ts'
import { detachedRecord } from './detached-record.ts'
import { LogError } from './kafka-errors.ts'
import type { StoredBatch, StoredRecord } from './record-batch.ts'
import { fetchBatches } from './requests.ts'

/** Concurrent requests; two on each connection, so that the broker always has the next one. */
const workers = 8
const connections = 4

// The size of one fetch. It grows while a fetch serves several wanted records, and shrinks otherwise.
const fetchBytesMin = 1 << 10
const fetchBytesFirst = 1 << 14
const fetchBytesMax = 1 << 20

/** Memory that a record takes besides its bytes: the objects for the record and for each header. */
const recordOverheadBytes = 200
const headerOverheadBytes = 150

function byteLengthOf({ key, value, headers }: StoredRecord): number {
  const ofHeaders = headers.reduce((sum, [, bytes]) => sum + headerOverheadBytes + bytes.length, 0)
  return recordOverheadBytes + key.length + (value?.length ?? 0) + ofHeaders
}

/** Splits offsets into runs of equal length, so that each worker's fetches can serve several offsets. */
function runsOf(offsets: readonly number[], count: number): (readonly number[])[] {
  const length = Math.ceil(offsets.length / count)
  return Array.from({ length: Math.ceil(offsets.length / length) }, (_, index) =>
    offsets.slice(index * length, (index + 1) * length),
  )
}

/** Reads records at arbitrary offsets of a partition, with a cache bounded in bytes. */
export class ScatteredReader {
  readonly #cluster: KafkaCluster
  readonly #cache: LRUCache<string, StoredRecord>

  constructor(cluster: KafkaCluster, cacheBytesMax: number) {
    this.#cluster = cluster
    this.#cache = new LRUCache({ maxSize: cacheBytesMax, sizeCalculation: byteLengthOf })
  }

  /** @throws LogError `not-there` when an offset holds no record; `unavailable` when late. */
  async read(
    topic: string,
    partition: number,
    offsets: readonly number[],
    deadline: number,
  ): Promise<StoredRecord[]> {
    const prefix = partitionKey({ topic, partition })
    const keyOf = (offset: number): string => `${prefix}/${offset}`
    const found = new Map<number, StoredRecord>()
    for (const offset of offsets) {
      const known = this.#cache.get(keyOf(offset))
      if (known !== undefined) found.set(offset, known)
    }
    const missing = [...new Set(offsets)].filter((offset) => !found.has(offset)).sort((a, b) => a - b)
    const keep = (record: StoredRecord): void => {
      found.set(record.offset, record)
      this.#cache.set(keyOf(record.offset), detachedRecord(record))
    }
    await Promise.all(
      runsOf(missing, workers).map((run, worker) => {
        const lane = `scattered-${worker % connections}`
        return this.#readRun({ topic, partition, lane, deadline }, run, keep)
      }),
    )
    return offsets.map((offset) => found.get(offset) as StoredRecord)
  }

  async #readRun(from: Source, run: readonly number[], keep: (record: StoredRecord) => void): Promise<void> {
    let bytesMax = fetchBytesFirst
    for (let next = 0; next < run.length;) {
      const offset = run[next] as number
      const batches = await this.#fetch(from, offset, bytesMax)
      const wanted = wantedOf(batches, run, next)
      if (wanted[0]?.offset !== offset) throw notThere(from, offset)
      wanted.forEach(keep)
      next += wanted.length
      bytesMax =
        wanted.length > 1 ? Math.min(bytesMax * 2, fetchBytesMax) : Math.max(bytesMax / 2, fetchBytesMin)
    }
  }

  async #fetch(from: Source, offset: number, bytesMax: number): Promise<readonly StoredBatch[]> {
    const { topic, partition, lane, deadline } = from
    const attempts = { what: `reading offset ${offset} of ${partitionKey(from)}`, deadline, changes: false }
    const fetched = await untilAnswered(attempts, () =>
      this.#cluster.onLeader(topic, partition, lane, ({ connection, topicId }) =>
        fetchBatches(connection, { topicId, partition, offset, bytesMax, waitMsMax: 0 }),
      ),
    )
    return fetched.batches
  }
}

interface Source {
  readonly topic: string
  readonly partition: number
  readonly lane: string
  readonly deadline: number
}

const notThere = (from: Source, offset: number): LogError =>
  new LogError('not-there', `there is no record at offset ${offset} of ${partitionKey(from)}`)

/** The records in these batches that match the run from index `next` on, without a gap. */
function wantedOf(batches: readonly StoredBatch[], run: readonly number[], next: number): StoredRecord[] {
  const wanted: StoredRecord[] = []
  for (const batch of batches) {
    const first = run[next + wanted.length]
    if (first === undefined) break
    if (batch.lastOffset < first) continue
    for (const record of batch.records(first)) {
      if (record.offset === run[next + wanted.length]) wanted.push(record)
    }
  }
  return wanted
}
