import { deadlineIn } from '#async'

import { untilAnswered } from './attempts.ts'
import type { KafkaCluster } from './cluster.ts'
import { FencedLog, type TakeOver } from './fenced-log.ts'
import { LogError } from './kafka-errors.ts'
import { LogReader } from './log-reader.ts'
import { encodeBatch, type LogRecord } from './record-batch.ts'
import { produce } from './requests.ts'

/** What a cluster did with what must never be in the log. */
export interface FenceProof {
  /** Where a batch was put, and where the broker says that it is when it comes again: the same place. */
  readonly firstOffset: number
  readonly repeatedOffset: number
  /** How the append of an owner whose partition was taken over was refused; undefined: it was accepted. */
  readonly zombieRefusal: LogError | undefined
  /** Of the three that were sent and two that belong there, those that are in the log. */
  readonly values: readonly string[]
}

const partition = 0
const timeoutMs = 15_000

const recordOf = (value: string): LogRecord => ({
  key: Buffer.from('proof'),
  value: Buffer.from(value),
  headers: [],
  timestampMs: Date.now(),
})

/**
 * Tries on a topic of its own what every promise rests on: a batch that is sent twice is taken once, and an owner that
 * comes back after another has taken over is refused.
 * @param topic empty, with one partition; nobody else's
 * @throws LogError when Kafka does not answer, or refuses an append that is in order.
 */
export async function proveFence(cluster: KafkaCluster, topic: string): Promise<FenceProof> {
  const zombie = new FencedLog(cluster, topic, partition, { appendTimeoutMs: timeoutMs })
  const owner = new FencedLog(cluster, topic, partition, { appendTimeoutMs: timeoutMs })
  const first = recordOf('first')
  const term = await zombie.takeOver()
  const { firstOffset } = await zombie.append([first])
  const repeatedOffset = await sendAgain(cluster, topic, term, first)
  await owner.takeOver()
  const zombieRefusal = await refusalOf(zombie.append([recordOf('zombie')]))
  await owner.append([recordOf('second')])
  return { firstOffset, repeatedOffset, zombieRefusal, values: await valuesIn(cluster, topic) }
}

/** The term's first batch as an owner sends it again that has not heard an answer. */
function sendAgain(cluster: KafkaCluster, topic: string, term: TakeOver, record: LogRecord): Promise<number> {
  const batch = encodeBatch([record], { ...term, sequence: 0 })
  const attempts = { what: `append to ${topic} again`, deadline: deadlineIn(timeoutMs), changes: true }
  return untilAnswered(attempts, () =>
    cluster.onLeader(topic, partition, 'append-0', ({ connection }) =>
      produce(connection, { topic, partition, batch, timeoutMs }),
    ),
  )
}

/** @throws the error, where it is no refusal by the fence. */
async function refusalOf(append: Promise<unknown>): Promise<LogError | undefined> {
  try {
    await append
    return undefined
  } catch (error) {
    if (error instanceof LogError && error.outcome === 'fenced') return error
    throw error
  }
}

async function valuesIn(cluster: KafkaCluster, topic: string): Promise<string[]> {
  const pieces = await Array.fromAsync(new LogReader(cluster).read(topic, partition, { from: 0 }))
  return pieces.flat().map(({ value }) => String(value))
}
