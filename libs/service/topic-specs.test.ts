import { expect, test } from 'vitest'

import { loadConfig } from '#config'

import { eventTopicSpec, snapshotTopicSpec } from './topic-specs.ts'

const { kafka } = loadConfig({
  ANNALS_KAFKA_PARTITIONS: '4',
  ANNALS_KAFKA_PARTITIONS_BY_TYPE: 'order=32,customer=16',
})

test('topics have the partitions configured for their type, otherwise the default', () => {
  expect(eventTopicSpec('order', kafka)).toMatchObject({ name: 'eventstore.order', partitions: 32 })
  expect(eventTopicSpec('customer', kafka).partitions).toBe(16)
  expect(eventTopicSpec('order-line', kafka).partitions).toBe(4)
})

test('events are kept forever, and of snapshots the last one', () => {
  expect(eventTopicSpec('order', kafka).configs).toMatchObject({
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
  })
  const snapshots = snapshotTopicSpec('order', 32, kafka)
  expect(snapshots).toMatchObject({ name: 'snapshots.order', partitions: 32 })
  expect(snapshots.configs).toMatchObject({ 'cleanup.policy': 'compact', 'compression.type': 'zstd' })
})

test('invalid partitions by type are rejected', () => {
  for (const wrong of ['order', 'order=0', 'Order=3', 'order=x']) {
    expect(() => loadConfig({ ANNALS_KAFKA_PARTITIONS_BY_TYPE: wrong })).toThrow(
      'ANNALS_KAFKA_PARTITIONS_BY_TYPE',
    )
  }
})
