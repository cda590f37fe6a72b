import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { ProgressMeter } from './progress-meter.ts'
import { progressText, type ShownProgress } from './progress-text.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A meter, and all progress that it has shown. */
function meterOf(total: number, options?: ConstructorParameters<typeof ProgressMeter>[2]) {
  const shown: ShownProgress[] = []
  const display = { show: (progress: ShownProgress) => void shown.push(progress), end: () => undefined }
  return { meter: new ProgressMeter(display, total, options), shown }
}

test('work of an earlier run counts as done, but not for the rate', () => {
  const { meter, shown } = meterOf(1_000, { what: 'appending', unit: 'events' })
  vi.advanceTimersByTime(3_000)
  meter.skip(900)
  for (let second = 0; second < 3; second++) {
    vi.advanceTimersByTime(1_000)
    meter.advance(10)
  }
  const last = shown.at(-1)
  expect(last && progressText(last)).toBe('appending: 93 % (930 of 1,000 events), 10 events/s, 7 s left')
})

test('the rate covers the last seconds only: a slow start no longer counts', () => {
  const { meter, shown } = meterOf(100_000)
  for (let second = 0; second < 60; second++) {
    vi.advanceTimersByTime(1_000)
    meter.advance(50)
  }
  expect(shown.at(-1)).toMatchObject({ rate: 50, etaSeconds: 1_940 })
  for (let second = 0; second < 20; second++) {
    vi.advanceTimersByTime(1_000)
    meter.advance(2_000)
  }
  expect(shown.at(-1)).toMatchObject({ rate: 2_000, etaSeconds: 29 })
})

test('without progress it shows what it waits for, until progress resumes or it ends', () => {
  const { meter, shown } = meterOf(100, { unit: 'events', waitingFor: 'the writer' })
  meter.advance(40)
  vi.advanceTimersByTime(4_900)
  expect(shown).toEqual([])
  vi.advanceTimersByTime(7_100)
  const stalled = shown.at(-1)
  expect(stalled && progressText(stalled)).toBe('40 % (40 of 100 events), waiting for the writer (12 s)')
  meter.advance(1)
  expect(shown.at(-1)).not.toHaveProperty('waiting')
  meter.end()
  const { length } = shown
  vi.advanceTimersByTime(60_000)
  expect(shown).toHaveLength(length)
})

test('a display that fails while nothing moves does not end the work', () => {
  const show = () => {
    throw new Error('the terminal is gone')
  }
  const meter = new ProgressMeter({ show, end: () => undefined }, 1, { waitingFor: 'the writer' })
  vi.advanceTimersByTime(10_000)
  meter.end()
})

test('bytes are shown as MB', () => {
  const { meter, shown } = meterOf(80_000_000, { what: 'checking', unit: 'bytes' })
  vi.advanceTimersByTime(4_000)
  meter.advance(20_000_000)
  const last = shown.at(-1)
  expect(last && progressText(last)).toBe('checking: 25 % (20.0 of 80.0 MB), 5.0 MB/s, 12 s left')
})
