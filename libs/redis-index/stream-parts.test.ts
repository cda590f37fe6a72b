import { expect, test } from 'vitest'

import type { Version } from '#domain'

import type { EventRun } from './event-run.ts'
import { assembleEvents, assembleLoad } from './stream-parts.ts'

const payload = (version: number): Buffer => Buffer.from(`event ${version}`)
const payloads = (from: number, to: number): Buffer[] =>
  Array.from({ length: to - from + 1 }, (_, index) => payload(from + index))
const run = (from: number, to: number): EventRun => ({ firstVersion: from, payloads: payloads(from, to) })
const parts = (version: number, { tail, lately }: { tail?: EventRun; lately?: EventRun } = {}) => ({
  version: version as Version,
  snapshot: undefined,
  tail,
  lately,
  placesOf,
})
const placesOf = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => ({
    version: (from + index) as Version,
    offset: 10 * (from + index),
  }))
const snapshot = (version: number) => ({
  version: version as Version,
  stateVersion: 1,
  timestampMs: 0,
  state: Buffer.from('state'),
})

test('a tail that reaches back to the start is the whole stream', () => {
  expect(assembleLoad(parts(3, { tail: run(1, 3) }))).toEqual({
    version: 3,
    tail: payloads(1, 3),
    firstTailVersion: 1,
  })
})

test('events covered by the snapshot are left out', () => {
  expect(assembleLoad({ ...parts(9, { tail: run(4, 9) }), snapshot: snapshot(7) })).toEqual({
    version: 9,
    snapshot: snapshot(7),
    tail: payloads(8, 9),
    firstTailVersion: 8,
  })
})

test('recently read events fill the gap before the tail', () => {
  expect(assembleLoad(parts(9, { tail: run(6, 9), lately: run(1, 7) }))).toEqual({
    version: 9,
    tail: payloads(1, 9),
    firstTailVersion: 1,
  })
})

test('recently read events that do not reach the tail are ignored', () => {
  expect(assembleLoad(parts(9, { tail: run(6, 9), lately: run(1, 4) }))).toEqual({
    version: 9,
    tail: payloads(6, 9),
    firstTailVersion: 6,
    missing: {
      from: 1,
      to: 5,
      events: { fromVersion: 1, recent: [...payloads(1, 4), undefined], placesOf },
    },
  })
})

test('without a tail everything after the snapshot is missing', () => {
  expect(assembleLoad({ ...parts(9), snapshot: snapshot(7) })).toMatchObject({
    tail: [],
    firstTailVersion: 10,
    missing: {
      from: 8,
      to: 9,
      events: { fromVersion: 8, recent: [undefined, undefined], placesOf },
    },
  })
})

test('a load gets the offsets of the first thousand missing events', () => {
  const { missing } = assembleLoad({ ...parts(5_000), snapshot: snapshot(7) })
  expect(missing).toMatchObject({ from: 8, to: 5_000, events: { fromVersion: 8 } })
  expect(missing?.events.recent).toHaveLength(1_000)
  expect(missing?.events.placesOf(8, 1_007)).toEqual(placesOf(8, 1_007))
})

test('a stream that does not exist has no missing events', () => {
  expect(assembleLoad(parts(0))).toEqual({ version: 0, tail: [], firstTailVersion: 1 })
})

test('a range has each event from either source', () => {
  const events = assembleEvents(parts(9, { tail: run(7, 9), lately: run(2, 4) }), 3, 20)
  expect(events).toEqual({
    fromVersion: 3,
    recent: [...payloads(3, 4), undefined, undefined, ...payloads(7, 9)],
    placesOf,
  })
})
