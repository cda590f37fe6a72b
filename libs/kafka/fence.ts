import { addPartitionsToTxnV3, endTxnV3, initProducerIdV4 } from '@platformatic/kafka'

import { partitionKey } from '#domain'

import { untilAnswered } from './attempts.ts'
import type { KafkaCluster } from './cluster.ts'
import { LogError } from './kafka-errors.ts'
import { fetchBatches } from './requests.ts'
import type { Term } from './terms.ts'

/** A partition that its owner fences against earlier owners. */
export interface FencedPartition {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly partition: number
}

/** The fence's transactions are empty and end immediately. The coordinator aborts one whose owner died in it. */
const transactionTimeoutMs = 10_000

/**
 * The highest epoch to serve under. Kafka counts to 32,766 (`Short.MAX_VALUE - 1`, TransactionMetadata.isEpochExhausted) and then
 * assigns another producer id, whose markers do not fence owners with the previous id. So the last epochs only fence: an owner that
 * gets one writes its marker, which fences every owner that ever served, and requests the next epoch. Several epochs are
 * reserved, because an owner may die before it writes its marker.
 */
export const servingEpochMax = 32_766 - 16
const markerFetchBytes = 1 << 16
const markerWaitMs = 500

const transactionalIdOf = (topic: string, partition: number): string => `annals.${topic}.${partition}`

/** Begins a new term. Once this resolves, the coordinator refuses transactions of every earlier term. */
export function beginTerm(fenced: FencedPartition, deadline: number): Promise<Term> {
  const id = transactionalIdOf(fenced.topic, fenced.partition)
  const what = `take-over of ${partitionKey(fenced)} (new epoch)`
  return untilAnswered({ what, deadline, changes: false }, () =>
    fenced.cluster.onCoordinator('transaction', id, async (connection) => {
      // Without a producer id and epoch of its own (-1), the caller always takes over.
      const answer = await initProducerIdV4.api.async(connection, id, transactionTimeoutMs, -1n, -1)
      return { producerId: answer.producerId, epoch: answer.producerEpoch }
    }),
  )
}

/** Makes the coordinator write a marker of this term to the partition, by committing an empty transaction. */
export async function writeMarker(fenced: FencedPartition, term: Term, deadline: number): Promise<void> {
  const id = transactionalIdOf(fenced.topic, fenced.partition)
  const { producerId, epoch } = term
  const attempts = { what: `marker of epoch ${epoch} for ${partitionKey(fenced)}`, deadline, changes: false }
  const topics = [{ name: fenced.topic, partitions: [fenced.partition] }]
  const transaction = { transactionalId: id, producerId, producerEpoch: epoch, verifyOnly: false, topics }
  await untilAnswered(attempts, () =>
    fenced.cluster.onCoordinator('transaction', id, (connection) =>
      addPartitionsToTxnV3.api.async(connection, [transaction]),
    ),
  )
  await untilAnswered(attempts, () =>
    fenced.cluster.onCoordinator('transaction', id, (connection) =>
      endTxnV3.api.async(connection, id, producerId, epoch, true),
    ),
  )
}

/**
 * Reads from an offset up to the term's own marker.
 * The coordinator answers before its marker is in the partition, and a zombie could still append until then. A fetch
 * returns only replicated data, so a marker that it returns survives a change of leader.
 * @returns the offset after the marker.
 * @throws LogError `fenced` when a later term's marker is found instead.
 */
export async function awaitMarker(
  fenced: FencedPartition,
  term: Term,
  from: number,
  deadline: number,
): Promise<number> {
  const attempts = {
    what: `waiting for the marker of epoch ${term.epoch} in ${partitionKey(fenced)}`,
    deadline,
  }
  let offset = from
  for (;;) {
    const request = { partition: fenced.partition, bytesMax: markerFetchBytes, waitMsMax: markerWaitMs }
    const { batches } = await untilAnswered({ ...attempts, changes: false }, () =>
      fenced.cluster.onLeader(fenced.topic, fenced.partition, fenceLane, ({ connection, topicId }) =>
        fetchBatches(connection, { ...request, topicId, offset }),
      ),
    )
    for (const batch of batches) {
      offset = batch.lastOffset + 1
      if (!batch.isControl || batch.producerId !== term.producerId || batch.epoch < term.epoch) continue
      if (batch.epoch === term.epoch) return offset
      throw new LogError(
        'fenced',
        `${attempts.what} found epoch ${batch.epoch}: another owner has taken over`,
      )
    }
  }
}

const fenceLane = 'fence'
