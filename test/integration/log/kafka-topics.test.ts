import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { eventTopic } from '#domain'
import { FencedLog, KafkaCluster, topicConfigs, Topics } from '#kafka'

import { testStack, uniqueName } from '../../support/stack/stack.ts'

describe('topics', () => {
  let cluster: KafkaCluster
  let topics: Topics

  beforeAll(async () => {
    cluster = await KafkaCluster.connect({ brokers: testStack().kafkaBrokers, clientId: 'topics' })
    topics = new Topics(cluster)
  })

  afterAll(() => cluster.close())

  const spec = (
    name: string,
    partitions = 3,
    configs: Readonly<Record<string, string>> = topicConfigs.events,
  ) => ({
    name,
    partitions,
    replication: 1,
    configs,
  })

  test('that are missing are created, with leaders that answer immediately', async () => {
    const name = eventTopic(uniqueName('order'))
    const [made] = await topics.ensure([spec(name)])
    expect(made).toMatchObject({ name, partitions: 3, replication: 1, configs: topicConfigs.events })
    await new FencedLog(cluster, name, 2).takeOver()
  })

  test('that exist are returned unchanged, in the requested order', async () => {
    const [one, two] = [uniqueName('one'), uniqueName('two')]
    const made = await topics.ensure([spec(two), spec(one)])
    const found = await topics.ensure([spec(one), spec(two)])
    expect(found.map(({ topicId }) => topicId)).toEqual(made.map(({ topicId }) => topicId).reverse())
  })

  test('created by several processes concurrently are created once', async () => {
    const name = uniqueName('raced')
    const all = await Promise.all(Array.from({ length: 5 }, () => topics.ensure([spec(name)])))
    expect(new Set(all.map(([topic]) => topic?.topicId)).size).toBe(1)
  })

  test('with another number of partitions are refused, because the count cannot be changed', async () => {
    const name = uniqueName('fixed')
    await topics.ensure([spec(name, 3)])
    await expect(topics.ensure([spec(name, 4)])).rejects.toThrow(
      `topic ${name} has 3 partitions, but 4 are configured; the count cannot be changed`,
    )
  })

  test('that Kafka rejects are refused with its reason', async () => {
    const bad = { ...spec(uniqueName('bad')), configs: { 'cleanup.policy': 'never' } }
    await expect(topics.ensure([bad])).rejects.toMatchObject({
      outcome: 'refused',
      kafkaCode: 'INVALID_CONFIG',
    })
    await expect(topics.ensure([{ ...spec(uniqueName('far')), replication: 9 }])).rejects.toMatchObject({
      outcome: 'refused',
      kafkaCode: 'INVALID_REPLICATION_FACTOR',
    })
  })

  test('that do not exist are left out of a description', async () => {
    const name = uniqueName('there')
    await topics.ensure([spec(name)])
    const described = await topics.describe([uniqueName('not-there'), name])
    expect(described.map((topic) => topic.name)).toEqual([name])
  })

  test('are checked: one that deletes events is reported, a good one is not', async () => {
    const [good, bad] = [uniqueName('good'), uniqueName('bad')]
    await topics.ensure([spec(good), spec(bad, 1, { 'retention.ms': '1000' })])
    const findings = await topics.checkSettings([
      { name: good, kind: 'events' },
      { name: bad, kind: 'events' },
    ])
    expect(findings).toEqual([
      {
        subject: `topic ${bad}`,
        setting: 'retention.ms',
        actual: '1000',
        recommended: '-1',
        why: 'events must never be deleted: they are the truth',
      },
    ])
  })
})

describe('a cluster', () => {
  test('that cannot be reached is unavailable, and the error names the address', async () => {
    const connecting = KafkaCluster.connect({ brokers: ['127.0.0.1:1'], clientId: 'x' }, { timeoutMs: 300 })
    await expect(connecting).rejects.toMatchObject({ outcome: 'unavailable' })
    await expect(connecting).rejects.toThrow('connecting to Kafka at 127.0.0.1:1 failed')
  })

  test('is found at the second address when nothing listens at the first', async () => {
    const brokers = ['127.0.0.1:1', ...testStack().kafkaBrokers]
    const cluster = await KafkaCluster.connect({ brokers, clientId: 'x' })
    expect(cluster.brokerIds).toHaveLength(1)
    await cluster.close()
  })

  test('is not contacted when an address is malformed', async () => {
    await expect(KafkaCluster.connect({ brokers: ['kafka'], clientId: 'x' })).rejects.toThrow('malformed')
  })
})
