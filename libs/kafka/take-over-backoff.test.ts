import { expect, test } from 'vitest'

import { TakeOverBackoff } from './take-over-backoff.ts'

const hourMs = 3_600_000

/** A backoff on a clock of its own, with the longest pauses that chance allows. */
function backoffAt(random = 1) {
  let nowMs = 0
  const backoff = new TakeOverBackoff({ now: () => nowMs, random: () => random })
  return { backoff, pass: (ms: number) => (nowMs += ms), now: () => nowMs }
}

/** How many take-overs there are in a period in which each term lasts so long, does its work or not, and ends. */
function takeOversIn(periodMs: number, termMs: number, works: boolean, random: number): number {
  const { backoff, pass, now } = backoffAt(random)
  let count = 0
  while (now() < periodMs) {
    pass(backoff.waitMs)
    backoff.began()
    count++
    pass(termMs)
    if (works) backoff.worked()
  }
  return count
}

test('the first take-over begins at once, further ones after pauses that double up to a minute', () => {
  const { backoff, pass } = backoffAt()
  const pauses: number[] = []
  for (let count = 0; count < 13; count++) {
    pauses.push(backoff.waitMs)
    pass(backoff.waitMs)
    backoff.began()
  }
  expect(pauses.slice(0, 5)).toEqual([0, 100, 200, 400, 800])
  expect(pauses.slice(-2)).toEqual([60_000, 60_000])
})

test.for([0, 0.5, 0.999])(
  'a fault that stays costs no more epochs than two a minute (chance %s)',
  (random) => {
    for (const termMs of [0, 20, 1_000, 8_000]) {
      expect(takeOversIn(hourMs, termMs, false, random)).toBeLessThanOrEqual(120 + 12)
    }
  },
)

test.for([0, 50, 3_000, 59_000])(
  'terms that end after %s ms slow down, although each does some work',
  (termMs) => {
    expect(takeOversIn(hourMs, termMs, true, 0)).toBeLessThanOrEqual(120 + 12)
  },
)

test('after a term that lasted and worked the next take-over begins at once; one that only lasted changes nothing', () => {
  const { backoff, pass } = backoffAt()
  for (let count = 0; count < 12; count++) {
    pass(backoff.waitMs)
    backoff.began()
  }
  backoff.worked()
  expect(backoff.waitMs).toBe(60_000)
  pass(120_000)
  backoff.began()
  expect(backoff.waitMs).toBe(60_000)
  pass(60_000)
  backoff.worked()
  backoff.began()
  expect(backoff.waitMs).toBe(100)
})
