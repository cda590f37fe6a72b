import { expect, test } from 'vitest'

import { loadConfig } from '#config'

import { eventTopicSpec, snapshotTopicSpec } from './topic-specs.ts'

const { kafka } = loadConfig({
  ANNALS_KAFKA_PARTITIONS: '4',
  ANNALS_KAFKA_PARTITIONS_BY_TYPE: 'order=32,customer=16',
})

test('topics have as many partitions as are configured for their type, else for all', () => {
  expect(eventTopicSpec('order', kafka)).toMatchObject({ name: 'eventstore.order', partitions: 32 })
  expect(eventTopicSpec('customer', kafka).partitions).toBe(16)
  expect(eventTopicSpec('order-line', kafka).partitions).toBe(4)
})

test('events are kept for ever, of snapshots the last one is', () => {
  expect(eventTopicSpec('order', kafka).configs).toMatchObject({
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
  })
  const snapshots = snapshotTopicSpec('order', 32, kafka)
  expect(snapshots).toMatchObject({ name: 'snapshots.order', partitions: 32 })
  expect(snapshots.configs).toMatchObject({ 'cleanup.policy': 'compact', 'compression.type': 'zstd' })
})

test('partitions by type that make no sense are refused', () => {
  for (const wrong of ['order', 'order=0', 'Order=3', 'order=x']) {
    expect(() => loadConfig({ ANNALS_KAFKA_PARTITIONS_BY_TYPE: wrong })).toThrow(
      'ANNALS_KAFKA_PARTITIONS_BY_TYPE',
    )
  }
})
