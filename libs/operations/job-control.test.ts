import { expect, test } from 'vitest'

import { noticesTo, type OperationProgress, PhaseProgress } from './job-control.ts'

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
