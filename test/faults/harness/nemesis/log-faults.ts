import { partitionFor } from '#domain'

import { partitions } from '../cluster/system.ts'
import { writePlainly } from '../cluster/topics.ts'
import { leadersOf, type PlainRecord, readTail } from '../plain-kafka/index.ts'
import type { Random } from '../random.ts'
import type { Fault } from './fault.ts'

const tailOffsets = 300
const streamsStruck = 3

/** The last record of each stream within a part of a partition. */
async function lastRecords(
  brokers: readonly string[],
  topic: string,
  partition: number,
): Promise<PlainRecord[]> {
  const leaders = await leadersOf(brokers, topic)
  const batches = await readTail(leaders[partition] ?? '', { topic, partition }, tailOffsets)
  const records = batches.flatMap((batch) => batch.records)
  return [...new Map(records.map((record) => [String(record.key), record])).values()]
}

/** The same event with another id, as the next version. */
const nextOf = ({ key, value, headers }: PlainRecord, random: Random) => ({
  ...{ key, value },
  headers: {
    ...headers,
    ce_id: random.uuid(),
    ce_streamversion: String(Number(headers['ce_streamversion']) + 1),
  },
})

/**
 * Well-formed records that a plain producer with the permission writes right after the last ones of a busy partition.
 */
const strayWritten: Fault = {
  name: 'stray next version',
  weight: 3,
  forMs: [200, 1_500],
  strike: async (scene) => {
    const { system, streams, random } = scene
    const stream = random.pick(streams.hot)
    const topic = `eventstore.${stream.slice(0, stream.indexOf('.'))}`
    const partition = partitionFor(stream, partitions)
    const last = await lastRecords(system.servers.brokers, topic, partition).catch(() => [])
    const strays = random
      .shuffled(last)
      .slice(0, streamsStruck)
      .map((record) => nextOf(record, random))
    const isWritten = strays.length > 0 && (await writePlainly(system, topic, partition, strays))
    await scene.hold()
    return isWritten
      ? `${strays.length} streams of ${topic}/${partition}`
      : `nothing could be written to ${topic}/${partition}`
  },
}

export const logFaults: readonly Fault[] = [strayWritten]
