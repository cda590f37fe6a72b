import pino from 'pino'
import { Registry } from 'prom-client'
import { afterEach, expect, test, vi } from 'vitest'

import { newEventId, parseVersion, type StreamId } from '#domain'
import { toLogRecord } from '#event-log/records'
import { EventStoreError } from '#event-store'
import { LogError, type LogOutcome } from '#kafka'

import { SnapshotterMetrics } from '../snapshotter-metrics.ts'
import type { CheckpointStore } from './checkpoint.ts'
import { type SnapshotPartitionParts, PartitionSnapshotter } from './partition-snapshotter.ts'
import { StateMemory } from './state-memory.ts'

/** A checkpoint in memory. */
function checkpointInMemory(): CheckpointStore {
  let stored = ''
  return {
    read: () => Promise.resolve(stored),
    replace: (seen: string, text: string) => {
      if (seen !== stored) return Promise.resolve(false)
      stored = text
      return Promise.resolve(true)
    },
  }
}

/** A read of the log that fails immediately. */
const failing = (outcome: LogOutcome) => ({
  next: () => Promise.reject(new LogError(outcome, `it ends as ${outcome}`)),
  return: () => Promise.resolve({ done: true, value: undefined }),
})

/** A log in which each read returns one event, of the next stream, that is due for a snapshot. */
function dueLog() {
  const read = { records: 0 }
  const recordAt = (offset: number) => {
    const { headers, ...record } = toLogRecord({
      id: newEventId(),
      streamId: `order.${offset}` as StreamId,
      type: 'OrderPlaced',
      version: parseVersion(10),
      timestamp: '2026-01-31T12:00:00.000Z',
      timestampMs: Date.UTC(2026, 0, 31, 12),
      metadata: {},
      value: Buffer.from([0, 0, 0, 0, 1]),
    })
    return { ...record, offset, headers: headers.map(([name, value]) => [name, Buffer.from(value)]) }
  }
  async function* follow(_topic: string, _partition: number, from: number) {
    for (let offset = from; ; offset++) {
      await Promise.resolve()
      read.records++
      yield { records: [recordAt(offset)], strays: [], nextOffset: offset + 1, highWatermark: offset + 1 }
    }
  }
  return { read, follow }
}

/** A partition whose terms all end with an outcome of the log. */
function snapshotterOf(outcome: LogOutcome, more: Partial<SnapshotPartitionParts> = {}) {
  const spent = { epochs: 0 }
  const metrics = new SnapshotterMetrics(new Registry(), () => [])
  const parts: Partial<SnapshotPartitionParts> = {
    topic: 'eventstore.order',
    partition: 0,
    aggregate: { type: 'order', snapshot: { every: 10, stateVersion: 1, schema: 'Order' } } as never,
    cluster: {
      topic: () => Promise.resolve({ name: '', topicId: 'a', partitions: [] }),
      checkHeld: () => undefined,
    },
    checkpoint: checkpointInMemory(),
    reader: {
      startOffset: () => Promise.resolve(0),
      endOffset: () => Promise.resolve(0),
      follow: () => failing(outcome),
    } as never,
    openLog: () =>
      ({
        takeOver: () => Promise.resolve({ epoch: spent.epochs++, producerId: 1n, endOffset: 0, topicId: '' }),
        close: () => undefined,
      }) as never,
    settings: { loadsMax: 1, cleanupIntervalMs: 1e9, fenceRenewalMs: 1e9 },
    metrics,
    memory: new StateMemory(1e6),
    logger: pino({ level: 'silent' }),
    ...more,
  }
  return { spent, snapshotter: new PartitionSnapshotter(parts as SnapshotPartitionParts) }
}

afterEach(() => {
  vi.useRealTimers()
})

test.for(['unknown', 'take-over', 'fenced', 'log-replaced'] as const)(
  'terms that always end as %s spend no more than three epochs a minute, and the process can still stop',
  async (outcome) => {
    vi.useFakeTimers()
    const { spent, snapshotter } = snapshotterOf(outcome)
    snapshotter.start()
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(spent.epochs).toBeGreaterThan(30)
    expect(spent.epochs).toBeLessThanOrEqual(10 + 3 * 60)
    await snapshotter.stop()
  },
)

test('while snapshots cannot be taken, no more is read than fits into the memory', async () => {
  vi.useFakeTimers()
  const { read, follow } = dueLog()
  const reader = { startOffset: () => Promise.resolve(0), endOffset: () => Promise.resolve(1e6), follow }
  const loads = vi.fn(() => Promise.reject(new EventStoreError('unavailable', 'no writer')))
  const { snapshotter } = snapshotterOf('unknown', {
    reader: reader as never,
    store: { load: loads } as never,
    memory: new StateMemory(1_500),
  })
  snapshotter.start()
  await vi.advanceTimersByTimeAsync(600_000)
  expect(loads.mock.calls.length).toBeGreaterThan(60)
  expect(read.records).toBe(3)
  await snapshotter.stop()
})
