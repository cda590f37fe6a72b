import { type Admin, Kafka, logLevel } from 'kafkajs'

import { deadLetterTopic, eventTopic, projectionTopic, snapshotTopic } from '#kafka'

import { until } from '../../../../scripts/stack/index.ts'
import type { System } from './system.ts'

const deleteMsMax = 60_000

/** Something asked of the brokers past all links, with a connection of its own. */
async function asked<T>({ servers }: System, ask: (admin: Admin) => Promise<T>): Promise<T> {
  const kafka = new Kafka({
    brokers: [...servers.brokers],
    clientId: 'fault-harness',
    logLevel: logLevel.NOTHING,
    retry: { retries: 8, initialRetryTime: 100, maxRetryTime: 1_000 },
  })
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await ask(admin)
  } finally {
    await admin.disconnect()
  }
}

/** The id of the broker that leads a partition of the type's events now. */
export function leaderOf(system: System, type: string, partition: number): Promise<number | undefined> {
  return asked(system, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [eventTopic(type)] })
    return topics[0]?.partitions.find(({ partitionId }) => partitionId === partition)?.leader
  })
}

/** Whether every partition of the seed's topics has all its replicas in sync again. */
export function areReplicated(system: System): Promise<boolean> {
  return asked(system, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: system.domain.types.map(eventTopic) })
    const all = topics.flatMap((topic) => topic.partitions)
    return all.length > 0 && all.every(({ isr, replicas }) => isr.length === replicas.length)
  })
}

/** A seed that is over leaves nothing behind on the brokers. kafkajs gives up at the first answer that is late. */
export async function deleteTopics(system: System): Promise<void> {
  const { types, projections } = system.domain
  const names = [
    ...types.flatMap((type) => [eventTopic(type), snapshotTopic(type)]),
    ...Object.values(projections).map(projectionTopic),
    deadLetterTopic(`${system.name}-projector`),
  ]
  const deleted = async (admin: Admin) => {
    const there = new Set(await admin.listTopics())
    await admin.deleteTopics({ topics: names.filter((name) => there.has(name)) })
    return true
  }
  await until('the topics are deleted', deleteMsMax, () => asked(system, deleted))
}
