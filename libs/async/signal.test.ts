import { expect, test } from 'vitest'

import { Signal } from './signal.ts'

const long = 60_000
const never = new AbortController().signal

test('wakes a waiter', async () => {
  const signal = new Signal()
  const waiting = signal.wait(long, never)
  signal.notify()
  await waiting
})

test('a notice without a waiter ends the next wait only', async () => {
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

test('a wait ends when the signal aborts, immediately if it has already aborted', async () => {
  const leaving = new AbortController()
  const waiting = new Signal().wait(long, leaving.signal)
  leaving.abort()
  await waiting
  await new Signal().wait(long, leaving.signal)
})

test('one notice wakes all waiters', async () => {
  const signal = new Signal()
  const waiting = [signal.wait(long), signal.wait(long)]
  signal.notify()
  await Promise.all(waiting)
})
