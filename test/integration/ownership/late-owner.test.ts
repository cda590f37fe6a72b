import { expect, onTestFinished, test } from 'vitest'

import { eventTopic } from '#domain'
import { FencedLog, KafkaCluster, LogReader, Topics } from '#kafka'
import type { Guard } from '#redis-index'

import { IndexCatchUp } from '../../../services/writer/partition/index-catch-up.ts'
import { indexOf, openRedis } from '../../support/index/redis-index.ts'
import { testStack, uniqueName } from '../../support/stack/stack.ts'

/** One partition with its log and index, and owners that take it over in turn. */
async function partitionOfAnEventTopic() {
  const cluster = await KafkaCluster.connect({ brokers: testStack().kafkaBrokers, clientId: 'late-owner' })
  onTestFinished(() => cluster.close())
  const topic = eventTopic(uniqueName('late'))
  await new Topics(cluster).ensure([{ name: topic, partitions: 1, replication: 1, configs: {} }])
  const redis = await openRedis(testStack().redisUrl)
  const index = indexOf(redis, { topic, partition: 0 })
  const catchUp = new IndexCatchUp({
    ...{ topic, partition: 0, index },
    reader: new LogReader(cluster),
    onProgress: () => undefined,
    onForeign: () => undefined,
  })
  const takeOver = async (): Promise<Guard> => {
    const { topicId, producerId, epoch, endOffset } = await new FencedLog(cluster, topic, 0).takeOver()
    return { topicId, producerId, epoch, nextOffset: endOffset }
  }
  const emptyIndex = () => index.guard().then((guard) => index.dropSeen(guard))
  return { index, catchUp, takeOver, emptyIndex }
}

const fenced = { name: 'LogError', outcome: 'fenced' }

test('an owner that was paused before its catch-up gives up once a later owner has the index', async () => {
  const { index, catchUp, takeOver } = await partitionOfAnEventTopic()
  const late = await takeOver()
  const current = await takeOver()
  const guard = await catchUp.toMarker(current, current.nextOffset)
  await expect(catchUp.toMarker(late, late.nextOffset)).rejects.toMatchObject(fenced)
  expect(await index.guard()).toEqual(guard)
})

test('an owner whose term is over does not claim an emptied index, whether or not it has served', async () => {
  const { index, catchUp, takeOver, emptyIndex } = await partitionOfAnEventTopic()
  const served = await takeOver()
  const guard = await catchUp.toMarker(served, served.nextOffset)
  const late = await takeOver()
  const current = await takeOver()
  await emptyIndex()
  await expect(catchUp.again(guard, guard.nextOffset)).rejects.toMatchObject(fenced)
  await expect(catchUp.toMarker(late, late.nextOffset)).rejects.toMatchObject(fenced)
  expect(await index.guard()).toBeUndefined()
  await catchUp.toMarker(current, current.nextOffset)
  expect(await index.guard()).toMatchObject({ epoch: current.epoch })
})
