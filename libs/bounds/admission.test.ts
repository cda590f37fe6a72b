import fc from 'fast-check'
import { expect, test } from 'vitest'

import { Admission } from './admission.ts'

const settled = () => new Promise(setImmediate)

/** Work that ends when the test says so. */
function heldWork(bytes = 0) {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const work = { hasBegun: false, end: () => resolve(undefined) }
  const run = async (hold: (bytes: number) => void) => {
    work.hasBegun = true
    hold(bytes)
    await promise
  }
  return { work, run }
}

const bounds = { what: 'reads', atOnceMax: 2, waitingMax: 3, waitMsMax: 10_000 }

test('two run, three wait, the sixth is rejected at once', async () => {
  const admission = new Admission(bounds)
  const all = Array.from({ length: 5 }, () => heldWork())
  const running = all.map(({ run }) => admission.run(run))
  await settled()
  expect(all.map(({ work }) => work.hasBegun)).toEqual([true, true, false, false, false])
  await expect(admission.run(() => Promise.resolve())).rejects.toMatchObject({
    code: 'overloaded',
    message: '5 reads are running or waiting: try again in a second',
    details: { retryAfterSeconds: 1 },
  })
  all[1]?.work.end()
  await settled()
  expect(all.map(({ work }) => work.hasBegun)).toEqual([true, true, true, false, false])
  for (const { work } of all) work.end()
  await Promise.all(running)
  expect(admission.count).toBe(0)
})

test('an operation that waits too long is rejected and does not take a place later', async () => {
  const admission = new Admission({ ...bounds, atOnceMax: 1, waitMsMax: 5 })
  const first = heldWork()
  const running = admission.run(first.run)
  await expect(admission.run(() => Promise.resolve())).rejects.toMatchObject({ code: 'overloaded' })
  first.work.end()
  await running
  expect(await admission.run(() => Promise.resolve(7))).toBe(7)
})

test('none starts while the running ones hold too many bytes; a failure gives its bytes back', async () => {
  const admission = new Admission({ ...bounds, atOnceMax: 10, bytesMax: 100 })
  const large = heldWork(150)
  const running = admission.run(large.run)
  await settled()
  const next = heldWork(1)
  const waiting = admission.run(next.run)
  await settled()
  expect(next.work.hasBegun).toBe(false)
  large.work.end()
  await running
  await settled()
  expect(next.work.hasBegun).toBe(true)
  next.work.end()
  await waiting
  const failing = admission.run((hold) => {
    hold(1_000)
    return Promise.reject(new Error('no'))
  })
  await expect(failing).rejects.toThrow('no')
  expect(await admission.run(() => Promise.resolve(7))).toBe(7)
})

test('never more at a time than allowed, in the order of arrival, and all end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(4), { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      async (durations, atOnceMax) => {
        const admission = new Admission({ ...bounds, atOnceMax, waitingMax: 40 })
        const begun: number[] = []
        let running = 0
        await Promise.all(
          durations.map((turns, n) =>
            admission.run(async () => {
              begun.push(n)
              expect(++running).toBeLessThanOrEqual(atOnceMax)
              for (let turn = 0; turn < turns; turn++) await settled()
              running--
            }),
          ),
        )
        expect(begun).toEqual(durations.map((_, n) => n))
        expect(admission.count).toBe(0)
      },
    ),
    { numRuns: 50 },
  )
})
