import { deadlineIn } from '#async'

import { untilAnswered } from './attempts.ts'
import type { KafkaCluster } from './cluster.ts'
import { FencedLog, type TakeOver } from './fenced-log.ts'
import { LogError } from './kafka-errors.ts'
import { LogReader } from './log-reader.ts'
import { encodeBatch, type LogRecord } from './record-batch.ts'
import { produce } from './requests.ts'

/** How a cluster handled appends that must not reach the log. */
export interface FenceProof {
  /** The offset of a batch. */
  readonly firstOffset: number
  /** The offset that the broker answered for the same batch sent again. It must equal `firstOffset`. */
  readonly repeatedOffset: number
  /** The refusal of an append by a former owner; undefined if the append was accepted. */
  readonly zombieRefusal: LogError | undefined
  /** The values in the log. Three were sent; `first` and `second` belong there. */
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
 * Tests the two broker guarantees that every promise depends on: a batch sent twice is stored once, and an owner that resumes
 * after another has taken over is refused.
 * @param topic an empty topic with one partition that nothing else uses.
 * @throws LogError when Kafka does not answer, or refuses a valid append.
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

/** Sends the term's first batch again, like an owner that has received no answer. */
function sendAgain(cluster: KafkaCluster, topic: string, term: TakeOver, record: LogRecord): Promise<number> {
  const batch = encodeBatch([record], { ...term, sequence: 0 })
  const attempts = { what: `append to ${topic} again`, deadline: deadlineIn(timeoutMs), changes: true }
  return untilAnswered(attempts, () =>
    cluster.onLeader(topic, partition, 'append-0', ({ connection }) =>
      produce(connection, { topic, partition, batch, timeoutMs }),
    ),
  )
}

/** @throws any error other than a refusal by the fence. */
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
