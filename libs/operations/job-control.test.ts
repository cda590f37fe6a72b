import { setTimeout as pause } from 'node:timers/promises'

import { expect, test, vi } from 'vitest'

import { noticesTo, type OperationProgress, orInterrupted, PhaseProgress, timed } from './job-control.ts'

const what = { phase: 'reading', unit: 'events' } as const

function recorded(total: number | undefined) {
  const reports: OperationProgress[] = []
  const progress = new PhaseProgress({ onProgress: (now) => void reports.push(now) }, what, total)
  return { reports, progress }
}

test('the start and each change are reported', () => {
  const { reports, progress } = recorded(10)
  progress.resume(4)
  progress.advance(1)
  progress.extend(5)
  expect(reports).toEqual([
    { ...what, done: 0, total: 10, resumed: 0 },
    { ...what, done: 4, total: 10, resumed: 4 },
    { ...what, done: 5, total: 10, resumed: 4 },
    { ...what, done: 5, total: 15, resumed: 4 },
  ])
})

test('the total grows if more is done than expected', () => {
  const { reports, progress } = recorded(1)
  progress.advance(3)
  expect(reports.at(-1)).toMatchObject({ done: 3, total: 3 })
})

test('a total that is not known stays unknown', () => {
  const { reports, progress } = recorded(undefined)
  progress.advance(3)
  expect(reports.at(-1)).toEqual({ ...what, done: 3, total: undefined, resumed: 0 })
})

test('an error thrown by a listener does not reach the job', () => {
  const fail = (): never => {
    throw new Error('closed')
  }
  const progress = new PhaseProgress({ onProgress: fail }, what, 1)
  expect(() => progress.advance(1)).not.toThrow()
  expect(() => noticesTo({ onNotice: fail })({ kind: 'warning', message: 'old' })).not.toThrow()
})

test('an abort is the outcome of a job, also if its work then fails', async () => {
  const stop = new AbortController()
  const failing = () => {
    stop.abort()
    return Promise.reject(new Error('the connection was closed'))
  }
  expect(await orInterrupted(stop, failing)).toEqual({ status: 'interrupted' })
  const work = vi.fn(() => Promise.resolve('done'))
  expect(await orInterrupted(stop, work)).toEqual({ status: 'interrupted' })
  expect(work).not.toHaveBeenCalled()
})

test('without an abort a job returns or throws what its work does', async () => {
  const { signal } = new AbortController()
  expect(await orInterrupted({ signal }, () => Promise.resolve('done'))).toBe('done')
  await expect(orInterrupted({ signal }, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})

test('an outcome gets the time that its work took', async () => {
  const work = async () => {
    await pause(20)
    return { events: 3 }
  }
  const { events, tookMs } = await timed(work)
  expect(events).toBe(3)
  expect(tookMs).toBeGreaterThan(10)
})
