import kafkajs, { type Admin, Kafka, logLevel } from 'kafkajs'

import { deadLetterTopic, eventTopic, projectionTopic, snapshotTopic } from '#domain'

import { until } from '../../../../scripts/stack/index.ts'
import type { Servers } from './servers.ts'
import { connected, deleteRecords, leadersBy, leadersOf } from '../plain-kafka/index.ts'
import { partitions, type System } from './system.ts'

const deleteMsMax = 60_000

const kafkaOf = ({ brokers }: Servers): Kafka =>
  new Kafka({
    brokers: [...brokers],
    clientId: 'fault-harness',
    logLevel: logLevel.NOTHING,
    retry: { retries: 8, initialRetryTime: 100, maxRetryTime: 1_000 },
  })

/** Runs a query against the brokers, bypassing all links, with its own connection. */
async function asked<T>({ servers }: System, ask: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafkaOf(servers).admin()
  await admin.connect()
  try {
    return await ask(admin)
  } finally {
    await admin.disconnect()
  }
}

/** The id of the broker that currently leads a partition of the type's event topic. */
export function leaderOf(system: System, type: string, partition: number): Promise<number | undefined> {
  return asked(system, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [eventTopic(type)] })
    return topics[0]?.partitions.find(({ partitionId }) => partitionId === partition)?.leader
  })
}

/** Whether all replicas of all partitions of the seed's topics are in sync. */
export function areReplicated(system: System): Promise<boolean> {
  return asked(system, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: system.domain.types.map(eventTopic) })
    const all = topics.flatMap((topic) => topic.partitions)
    return all.length > 0 && all.every(({ isr, replicas }) => isr.length === replicas.length)
  })
}

/**
 * Deletes the event topic of a type and creates it again with the same settings.
 * @returns when no broker had it any more, by the clock of the history
 */
export async function recreateTopic(system: System, type: string): Promise<number> {
  const topic = eventTopic(type)
  const configEntries = await asked(system, (admin) => ownSettings(admin, topic))
  await asked(system, (admin) => admin.deleteTopics({ topics: [topic] }))
  const partitionsAt = async (broker: string) =>
    (await connected(broker, (connection) => leadersBy(connection, topic))).length
  const areAll = (count: number) => async () =>
    (await Promise.all(system.servers.brokers.map(partitionsAt))).every((each) => each === count)
  await until(`${topic} is gone`, deleteMsMax, areAll(0))
  const goneAtMs = performance.now()
  const created = { topic, numPartitions: partitions, replicationFactor: 3, configEntries }
  await asked(system, (admin) => admin.createTopics({ topics: [created], waitForLeaders: false }))
  await until(`${topic} exists again`, deleteMsMax, areAll(partitions))
  return goneAtMs + goneMarginMs
}

/** A broker removes a topic from its metadata first, and stops serving it a moment later. */
const goneMarginMs = 500
/** The config source that means: set for this topic. */
const ofTopic = 1

async function ownSettings(admin: Admin, topic: string): Promise<{ name: string; value: string }[]> {
  const type = kafkajs.ConfigResourceTypes.TOPIC
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type, name: topic }],
  })
  return resources
    .flatMap(({ configEntries }) => configEntries)
    .filter(({ configSource }) => (configSource as number) === ofTopic)
    .map(({ configName, configValue }) => ({ name: configName, value: configValue }))
}

/** Deletes everything before the offset. */
export async function deleteHead(
  { servers }: System,
  topic: string,
  partition: number,
  offset: number,
): Promise<void> {
  await until(`the head of ${topic}/${partition} is deleted`, deleteMsMax, async () => {
    const leaders = await leadersOf(servers.brokers, topic)
    await deleteRecords(leaders[partition] ?? '', { topic, partition }, offset)
    return true
  })
}

/** A record of an ordinary producer. */
interface PlainMessage {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Writes records to a partition with an ordinary producer that has the permission. @returns whether they were written
 */
export async function writePlainly(
  { servers }: System,
  topic: string,
  partition: number,
  messages: readonly PlainMessage[],
): Promise<boolean> {
  const producer = kafkaOf(servers).producer()
  try {
    await producer.connect()
    await producer.send({
      topic,
      messages: messages.map(({ headers, ...message }) => ({
        ...message,
        headers: { ...headers },
        partition,
      })),
    })
    return true
  } catch {
    // A broker may be down because of another fault. Then nothing is written this time, or the records are written
    // without an acknowledgement.
    return false
  } finally {
    await producer.disconnect()
  }
}

/** Deletes the topics of a finished seed from the brokers. kafkajs gives up at the first late response. */
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
