import { expect, test } from 'vitest'

import { Alarm } from './alarm.ts'

const long = 60_000
const never = new AbortController().signal

test('wakes the one who waits', async () => {
  const alarm = new Alarm()
  const waiting = alarm.wait(long, never)
  alarm.ring()
  await waiting
})

test('rung while nobody waits, it ends the next wait and no other one', async () => {
  const alarm = new Alarm()
  alarm.ring()
  alarm.ring()
  await alarm.wait(long, never)
  let isOver = false
  const second = alarm.wait(20, never).then(() => (isOver = true))
  await Promise.resolve()
  expect(isOver).toBe(false)
  await second
})

test('a wait ends when the signal aborts, at once where it has', async () => {
  const leaving = new AbortController()
  const waiting = new Alarm().wait(long, leaving.signal)
  leaving.abort()
  await waiting
  await new Alarm().wait(long, leaving.signal)
})
