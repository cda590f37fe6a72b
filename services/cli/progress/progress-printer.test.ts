import { PassThrough } from 'node:stream'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { ProgressPrinter } from './progress-printer.ts'

type Phase = 'checking' | 'appending' | 'exporting'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const labels = { checking: { what: 'checking', unit: 'bytes' }, appending: { what: 'appending' } } as const

function printing() {
  const stream = new PassThrough()
  const printer = new ProgressPrinter<Phase>(stream, labels)
  return {
    printer,
    lines: () =>
      String(stream.read() ?? '')
        .split('\n')
        .slice(0, -1),
  }
}

test('each phase is shown with its label and a rate that excludes the work of an earlier run', () => {
  const { printer, lines } = printing()
  const bytes = { phase: 'checking', unit: 'bytes', total: 4_000_000, resumed: 0 } as const
  printer.show({ ...bytes, done: 0 })
  vi.advanceTimersByTime(2_000)
  printer.show({ ...bytes, done: 2_000_000 })
  const events = { phase: 'appending', unit: 'events', total: 1_000, resumed: 400 } as const
  printer.show({ ...events, done: 400 })
  vi.advanceTimersByTime(2_000)
  printer.show({ ...events, done: 600 })
  printer.end()
  expect(lines()).toEqual([
    'checking: 50 % (2.0 of 4.0 MB), 1.0 MB/s, 2 s left',
    'appending: 60 % (600 of 1,000), 100/s, 4 s left',
  ])
})

test('a total that grows while the job runs is shown', () => {
  const { printer, lines } = printing()
  const events = { phase: 'appending', unit: 'events', resumed: 0 } as const
  printer.show({ ...events, done: 0, total: 100 })
  printer.show({ ...events, done: 0, total: 400 })
  vi.advanceTimersByTime(2_000)
  printer.show({ ...events, done: 200, total: 400 })
  expect(lines()).toEqual(['appending: 50 % (200 of 400), 100/s, 2 s left'])
})

test('a job that starts over after its progress ended is counted from zero', () => {
  const { printer, lines } = printing()
  const events = { phase: 'appending', unit: 'events', total: 100, resumed: 0 } as const
  printer.show({ ...events, done: 100 })
  printer.end()
  printer.show({ ...events, done: 0 })
  vi.advanceTimersByTime(2_000)
  printer.show({ ...events, done: 50 })
  expect(lines()).toEqual(['appending: 50 % (50 of 100), 25/s, 2 s left'])
})

test('without a known total a count is shown', () => {
  const { printer, lines } = printing()
  const events = { phase: 'exporting', unit: 'events', total: undefined, resumed: 0 } as const
  printer.show({ ...events, done: 0 })
  vi.advanceTimersByTime(2_000)
  printer.show({ ...events, done: 3_000 })
  printer.end()
  expect(lines()).toEqual(['3,000 events, 1,500/s'])
})
