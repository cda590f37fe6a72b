import { expect, test } from 'vitest'

import { inParallel } from './in-parallel.ts'

test('processes all items, at most the given number at a time', async () => {
  let atOnce = 0
  let most = 0
  const done: number[] = []
  await inParallel([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    most = Math.max(most, ++atOnce)
    await Promise.resolve()
    done.push(item)
    atOnce--
  })
  expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(most).toBe(3)
})

test('after a failure no further item is started, and the items in progress are awaited', async () => {
  const gate = Promise.withResolvers<undefined>()
  const begun: number[] = []
  const ended: number[] = []
  const work = inParallel([1, 2, 3, 4], 2, async (item) => {
    begun.push(item)
    if (item === 1) throw new Error('the first one fails')
    await gate.promise
    ended.push(item)
  })
  const outcome = work.then(
    () => 'succeeded',
    (error: unknown) => (error as Error).message,
  )
  await Promise.resolve()
  gate.resolve(undefined)
  expect(await outcome).toBe('the first one fails')
  expect({ begun, ended }).toEqual({ begun: [1, 2], ended: [2] })
})

test('when the signal aborts, no further item is started, the items in progress get the signal and are awaited, and its reason is thrown', async () => {
  const stop = new AbortController()
  const begun: number[] = []
  const ended: number[] = []
  const work = inParallel(
    [1, 2, 3, 4],
    2,
    async (item, signal) => {
      begun.push(item)
      if (item === 2) stop.abort(new Error('enough'))
      await Promise.resolve()
      if (signal.aborted) ended.push(item)
    },
    stop.signal,
  )
  await expect(work).rejects.toThrow('enough')
  expect({ begun, ended }).toEqual({ begun: [1, 2], ended: [1, 2] })
})

test('a failure takes precedence over the reason of the signal', async () => {
  const stop = new AbortController()
  const work = async () => {
    stop.abort(new Error('enough'))
    await Promise.resolve()
    throw new Error('broken')
  }
  await expect(inParallel([1], 1, work, stop.signal)).rejects.toThrow('broken')
})
