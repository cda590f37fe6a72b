import { expect, test } from 'vitest'

import { Signal } from './signal.ts'

const long = 60_000
const never = new AbortController().signal

test('wakes the one who waits', async () => {
  const signal = new Signal()
  const waiting = signal.wait(long, never)
  signal.notify()
  await waiting
})

test('notified while nobody waits, it ends the next wait and no other one', async () => {
  const signal = new Signal()
  signal.notify()
  signal.notify()
  await signal.wait(long, never)
  let isOver = false
  const second = signal.wait(20, never).then(() => (isOver = true))
  await Promise.resolve()
  expect(isOver).toBe(false)
  await second
})

test('a wait ends when the signal aborts, at once where it has', async () => {
  const leaving = new AbortController()
  const waiting = new Signal().wait(long, leaving.signal)
  leaving.abort()
  await waiting
  await new Signal().wait(long, leaving.signal)
})

test('one notice wakes all that wait', async () => {
  const signal = new Signal()
  const waiting = [signal.wait(long), signal.wait(long)]
  signal.notify()
  await Promise.all(waiting)
})
