import { deadlineIn } from '#async'
import { isEventTopic, partitionKey, type TopicPartition } from '#domain'

import { untilAnswered } from './attempts.ts'
import type { KafkaCluster } from './cluster.ts'
import { encodeBatch, type LogRecord } from './record-batch.ts'
import { produce } from './requests.ts'
import { requestTimeoutMsDefault } from './settings.ts'

const unfencedLane = 'unfenced'
/** A producer that the broker does not track. */
const nobody = { producerId: -1n, epoch: -1, sequence: -1 }

/**
 * Appends the records as one batch to a topic that any number of processes write to. All in-sync replicas have it once this resolves.
 * A batch that is sent again can be in the log twice, so give each record an id. Events are never written like this: see FencedLog.
 * @throws LogError `refused`; `unknown` or `unavailable` past the deadline. RangeError for a topic of events, or without records.
 */
export function appendUnfenced(
  cluster: KafkaCluster,
  { topic, partition }: TopicPartition,
  records: readonly LogRecord[],
  timeoutMs: number,
): Promise<number> {
  if (isEventTopic(topic)) throw new RangeError(`${topic} holds events: only their owner appends to it`)
  if (records.length === 0) throw new RangeError('an append needs at least one record')
  const requestMs = cluster.settings.requestTimeoutMs ?? requestTimeoutMsDefault
  const request = { topic, partition, batch: encodeBatch(records, nobody), timeoutMs: requestMs }
  const what = `append to ${partitionKey(request)}`
  const attempts = { what, deadline: deadlineIn(timeoutMs), changes: true, reportsSending: true }
  return untilAnswered(attempts, (sending) =>
    cluster.onLeader(topic, partition, unfencedLane, ({ connection }) => {
      sending()
      return produce(connection, request)
    }),
  )
}
