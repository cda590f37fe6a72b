import { expect, test } from 'vitest'

import { fold } from './aggregate.ts'
import { foldInSteps } from './fold-in-steps.ts'
import { account, deposited } from './testing/account.ts'

test.each([0, 1, 500, 501, 20_000])('%i events are folded to the same state as at once', async (count) => {
  const events = Array.from({ length: count }, (_, index) => deposited(index))
  expect(await foldInSteps(account, events, account.initialState)).toEqual(fold(account, events))
})

test('other work runs between the steps of 20,000 events', async () => {
  const events = Array.from({ length: 20_000 }, () => deposited(1))
  let turns = 0
  const count = () => {
    turns++
    immediate = setImmediate(count)
  }
  let immediate = setImmediate(count)
  await foldInSteps(account, events, account.initialState)
  clearImmediate(immediate)
  expect(turns).toBeGreaterThanOrEqual(39)
})

test('an event that cannot be folded rejects', async () => {
  const strange = { type: 'Strange', data: {} } as never
  await expect(foldInSteps(account, [strange], account.initialState)).rejects.toThrow('Strange')
})
