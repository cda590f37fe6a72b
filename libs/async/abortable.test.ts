import { expect, test, vi } from 'vitest'

import { abortable } from './abortable.ts'

const enough = new Error('enough')

test('settles as the work does', async () => {
  const { signal } = new AbortController()
  expect(await abortable(signal, () => Promise.resolve(7))).toBe(7)
  await expect(abortable(signal, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})

test('rejects with the reason as soon as the signal aborts, and drops a later failure of the work', async () => {
  const stop = new AbortController()
  const work = Promise.withResolvers<number>()
  const outcome = abortable(stop.signal, () => work.promise)
  stop.abort(enough)
  await expect(outcome).rejects.toBe(enough)
  work.reject(new Error('late'))
})

test('rejects if the signal aborts before the result is returned', async () => {
  const stop = new AbortController()
  const work = async () => {
    await Promise.resolve()
    stop.abort(enough)
    return 7
  }
  await expect(abortable(stop.signal, work)).rejects.toBe(enough)
})

test('begins nothing if the signal has already aborted', async () => {
  const work = vi.fn(() => Promise.resolve(7))
  await expect(abortable(AbortSignal.abort(enough), work)).rejects.toBe(enough)
  expect(work).not.toHaveBeenCalled()
})
