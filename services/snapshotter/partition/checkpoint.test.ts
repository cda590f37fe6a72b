import { expect, test } from 'vitest'

import { advanced, type CheckpointState, isRebuilding, rebuildProgress, withProgress } from './checkpoint.ts'

const state: CheckpointState = { topicId: 't', stateVersion: 1, nextOffset: 10, owner: 'me' }
const rebuilding: CheckpointState = {
  ...state,
  nextOffset: 100,
  rebuild: { startedAtMs: 1_000, from: 100, until: 300 },
}

test('advancing a checkpoint changes only its offset', () => {
  expect(advanced(state, 12)).toEqual({ ...state, nextOffset: 12 })
})

test('a rebuild ends at the end of the log when it was requested, and finishes once', () => {
  const before = advanced(rebuilding, 299, 5_000)
  expect(isRebuilding(before)).toBe(true)
  const after = advanced(before, 300, 6_000)
  expect(isRebuilding(after)).toBe(false)
  expect(advanced(after, 400, 7_000).rebuild).toEqual({ ...rebuilding.rebuild, finishedAtMs: 6_000 })
})

test('the progress of a rebuild is the sum of its partitions', () => {
  expect(rebuildProgress([state, undefined])).toEqual({ status: 'none', done: 0, total: 0, rate: 0 })
  const half = advanced(rebuilding, 200)
  const finished = advanced(rebuilding, 350, 2_000)
  expect(rebuildProgress([half, finished, state], 4_000)).toEqual({
    status: 'running',
    startedAt: '1970-01-01T00:00:01.000Z',
    done: 300,
    total: 400,
    rate: 100,
    etaSeconds: 1,
  })
  expect(rebuildProgress([finished], 9_000)).toEqual({
    status: 'done',
    startedAt: '1970-01-01T00:00:01.000Z',
    done: 200,
    total: 200,
    rate: 200,
  })
  expect(rebuildProgress([rebuilding], 9_000)).not.toHaveProperty('etaSeconds')
})

test('events that a rebuild has folded count as progress, but do not move its checkpoint', () => {
  const folding = withProgress(rebuilding, 250)
  expect(folding.nextOffset).toBe(100)
  expect(rebuildProgress([folding], 2_000)).toMatchObject({ status: 'running', done: 150, total: 200 })
  expect(isRebuilding(withProgress(rebuilding, 300))).toBe(true)
  expect(withProgress(state, 20)).toEqual(state)
})
