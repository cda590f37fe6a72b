import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'

import { position } from '#domain'
import type { GenerationState } from '#projections'

import { AppliedEvents } from './applied-events.ts'
import { GenerationWatch } from './generation-watch.ts'

const projection = { name: 'totals', indexNames: [] }
const topic = 'eventstore.order'
const tenMinutesMs = 600_000

const states: GenerationState[] = []
const generations = vi.fn(() => Promise.resolve(states))
let appliedEvents: AppliedEvents

beforeEach(() => {
  states.length = 0
  generations.mockClear()
  appliedEvents = new AppliedEvents(new GenerationWatch({ list: generations }), 1_000)
})

const state = (id: string, status: GenerationState['status'], checkpoint: number) =>
  ({ id, status, checkpoints: new Map([[`${topic}:0`, checkpoint]]) }) as unknown as GenerationState

const step = (checkpoint: number, partition = 0, name = 'totals') => ({
  set: { projection: { ...projection, name }, generation: 'g1' },
  source: { topic, partition },
  checkpoint,
})

/** Waits for the event at offset 7 of partition 0. */
function wait(generation?: string, seen = appliedEvents.steps, msMax = tenMinutesMs) {
  const waiting = { isOver: false, over: Promise.resolve() }
  waiting.over = appliedEvents
    .next({ projection, after: position(topic, 0, 7), generation }, seen, msMax)
    .then(() => void (waiting.isOver = true))
  return waiting
}

test('a step past the event ends the wait', async () => {
  const waiting = wait()
  appliedEvents.applied(step(8))
  await waiting.over
})

test('other steps do not: before the event, in another partition or of another projection', async () => {
  const waiting = wait()
  appliedEvents.applied(step(7))
  appliedEvents.applied(step(9, 1))
  appliedEvents.applied(step(9, 0, 'others'))
  await new Promise(setImmediate)
  expect(waiting.isOver).toBe(false)
  appliedEvents.applied(step(8))
  await waiting.over
})

test('a step between the read of the store and the wait ends the wait, an older one does not', async () => {
  const seen = appliedEvents.steps
  appliedEvents.applied(step(8))
  await wait(undefined, seen).over
  const waiting = wait()
  await new Promise(setImmediate)
  expect(waiting.isOver).toBe(false)
  appliedEvents.applied(step(9))
  await waiting.over
})

test('events applied by other instances are found in the store, in the requested generation', async () => {
  states.push(state('old', 'serving', 7), state('new', 'building', 100))
  const serving = wait()
  const building = wait('new')
  await building.over
  expect(serving.isOver).toBe(false)
  states[0] = state('old', 'serving', 8)
  await serving.over
})

test('one read of the store serves all waiters, and without waiters the store is not read', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  states.push(state('old', 'serving', 0))
  const waiting = Array.from({ length: 1_000 }, () => wait())
  await vi.advanceTimersByTimeAsync(60)
  expect(generations).toHaveBeenCalledTimes(3)
  appliedEvents.applied(step(8))
  await Promise.all(waiting.map(({ over }) => over))
  await vi.advanceTimersByTimeAsync(tenMinutesMs)
  expect(generations).toHaveBeenCalledTimes(3)
})

test('a missing generation or a store that does not answer ends the wait, so the caller reads the store', async () => {
  await wait('gone').over
  generations.mockRejectedValueOnce(new Error('away'))
  states.push(state('old', 'serving', 0))
  await wait().over
})

test('beyond the bound over all projections a wait is rejected immediately, until another wait has ended', async () => {
  appliedEvents = new AppliedEvents(new GenerationWatch({ list: generations }), 2)
  states.push(state('old', 'serving', 0))
  const waiting = [wait(), wait()]
  await expect(wait().over).rejects.toMatchObject({
    code: 'overloaded',
    details: { retryAfterSeconds: 1 },
  })
  appliedEvents.applied(step(8))
  await Promise.all(waiting.map(({ over }) => over))
  await wait(undefined, appliedEvents.steps, 5).over
})

test('beyond the bound a read is rejected before the store is read, unless its event is known to be applied', async () => {
  appliedEvents = new AppliedEvents(new GenerationWatch({ list: generations }), 1)
  states.push(state('old', 'serving', 0))
  const admit = () => appliedEvents.admit({ projection, after: position(topic, 0, 7), generation: undefined })
  admit()
  const waiting = wait()
  expect(admit).toThrow('ANNALS_PROJECTOR_WAITERS_MAX')
  appliedEvents.applied(step(8))
  admit()
  await waiting.over
})

test('a wait ends at its time-out', async () => {
  states.push(state('old', 'serving', 0))
  await wait(undefined, appliedEvents.steps, 5).over
})
