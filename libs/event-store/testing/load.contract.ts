import { describe, expect, test, type TestContext } from 'vitest'

import { parseVersion, type Snapshot, type StreamId } from '#domain'

import type { SnapshotStore } from '../event-store.ts'
import type { Subject } from './store-under-test.ts'

export function loadContract(subject: () => Subject): void {
  const streamOf = async (count: number): Promise<StreamId> => {
    const { store, event, freshStreamId } = subject()
    const streamId = freshStreamId()
    await store.append(
      streamId,
      Array.from({ length: count }, (_, index) => event(index + 1)),
    )
    return streamId
  }

  describe('loading', () => {
    test('a stream without a snapshot returns all events from the first', async () => {
      const { store } = subject()
      const streamId = await streamOf(5)
      const loaded = await store.load(streamId)
      expect(loaded).toEqual({ version: 5, events: (await store.read(streamId)).events })
    })

    test('a stream that does not exist returns version 0 and no events', async () => {
      const { store, freshStreamId } = subject()
      expect(await store.load(freshStreamId(), { stateVersion: 1 })).toEqual({ version: 0, events: [] })
    })
  })

  const snapshot = (streamId: StreamId, version: number, stateVersion = 1): Snapshot => ({
    streamId,
    version: parseVersion(version),
    stateVersion,
    state: {
      purchases: version,
      cds: 2 * version,
      spend: `${version}.50`,
      of: `state version ${stateVersion}`,
    },
    timestamp: '2026-01-31T12:00:00.000Z',
  })

  const snapshotsOr = (skip: TestContext['skip']): SnapshotStore =>
    subject().snapshots ?? skip('this store keeps no snapshots')

  describe('loading with snapshots', () => {
    test('returns the snapshot and the events after it', async ({ skip }) => {
      const snapshots = snapshotsOr(skip)
      const { store } = subject()
      const streamId = await streamOf(5)
      await snapshots.saveSnapshot(snapshot(streamId, 3))
      const loaded = await store.load(streamId, { stateVersion: 1 })
      expect(loaded.snapshot).toEqual(snapshot(streamId, 3))
      expect(loaded.version).toBe(5)
      expect(loaded.events.map(({ version }) => version)).toEqual([4, 5])
    })

    test('returns events appended after the snapshot was taken', async ({ skip }) => {
      const snapshots = snapshotsOr(skip)
      const { store, event } = subject()
      const streamId = await streamOf(3)
      await snapshots.saveSnapshot(snapshot(streamId, 3))
      expect((await store.load(streamId, { stateVersion: 1 })).events).toEqual([])
      await store.append(streamId, [event(4)])
      const loaded = await store.load(streamId, { stateVersion: 1 })
      expect([loaded.version, loaded.snapshot?.version, loaded.events.length]).toEqual([4, 3, 1])
    })

    test.each([undefined, 2])('ignores a snapshot of a state version other than %s', async (stateVersion) => {
      const { store, snapshots } = subject()
      const streamId = await streamOf(4)
      await snapshots?.saveSnapshot(snapshot(streamId, 3))
      const loaded = await store.load(streamId, stateVersion === undefined ? {} : { stateVersion })
      expect(loaded).not.toHaveProperty('snapshot')
      expect(loaded.events.map(({ version }) => version)).toEqual([1, 2, 3, 4])
    })

    test('keeps the newest snapshot in any order of saving', async ({ skip }) => {
      const snapshots = snapshotsOr(skip)
      const { store } = subject()
      const streamId = await streamOf(5)
      for (const version of [2, 4, 3]) await snapshots.saveSnapshot(snapshot(streamId, version))
      const loaded = await store.load(streamId, { stateVersion: 1 })
      expect(loaded.snapshot?.version).toBe(4)
      expect((await store.info(streamId)).snapshotVersion).toBe(4)
    })

    test('prefers a newer state version to a newer stream version', async ({ skip }) => {
      const snapshots = snapshotsOr(skip)
      const { store } = subject()
      const streamId = await streamOf(5)
      await snapshots.saveSnapshot(snapshot(streamId, 5, 1))
      await snapshots.saveSnapshot(snapshot(streamId, 3, 2))
      await snapshots.saveSnapshot(snapshot(streamId, 4, 1))
      expect((await store.load(streamId, { stateVersion: 2 })).snapshot).toEqual(snapshot(streamId, 3, 2))
    })
  })
}
