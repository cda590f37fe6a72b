import pino from 'pino'
import { Registry } from 'prom-client'
import { afterEach, expect, test, vi } from 'vitest'

import { LogError, type LogOutcome } from '#kafka'

import { SnapshotterMetrics } from '../snapshotter-metrics.ts'
import type { CheckpointStore } from './checkpoint.ts'
import { type SnapshotPartitionParts, PartitionSnapshotter } from './partition-snapshotter.ts'

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

/** A partition whose terms all end with an outcome of the log. */
function snapshotterOf(outcome: LogOutcome) {
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
    logger: pino({ level: 'silent' }),
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
