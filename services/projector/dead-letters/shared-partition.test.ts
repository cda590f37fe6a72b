import { expect, test } from 'vitest'

import { LogError, type LogOutcome, type LogRecord, TakeOverBackoff } from '#kafka'

import { SharedPartition } from './shared-partition.ts'

const record: LogRecord = { key: Buffer.from('k'), value: null, headers: [], timestampMs: 0 }

/** A partition whose appends end as they are asked to, and the number of its take-overs. */
function sharedPartition(outcomeOf: () => LogOutcome | undefined, takeOvers = new TakeOverBackoff()) {
  const spent = { epochs: 0, appended: 0 }
  const openLog = () => ({
    topic: 'deadletters.mails',
    partition: 0,
    takeOver: () => Promise.resolve({ epoch: spent.epochs++, producerId: 1n, endOffset: 0, topicId: '' }),
    append: () => {
      const outcome = outcomeOf()
      if (outcome !== undefined) return Promise.reject(new LogError(outcome, outcome))
      spent.appended++
      return Promise.resolve({ firstOffset: 0, lastOffset: 0 })
    },
  })
  return { spent, shared: new SharedPartition({ name: 'deadletters.mails/0', openLog, takeOvers }) }
}

test.for(['unknown', 'take-over', 'fenced'] as const)(
  'appends that always end as %s spend epochs ever more slowly, and are refused meanwhile',
  async (outcome) => {
    let nowMs = 0
    const backoff = new TakeOverBackoff({ now: () => nowMs, random: () => 0 })
    const { spent, shared } = sharedPartition(() => outcome, backoff)
    for (; nowMs < 3_600_000; nowMs += 20_000) {
      await expect(shared.append(record, 5_000)).rejects.toBeInstanceOf(LogError)
    }
    expect(spent.epochs).toBeLessThanOrEqual(120 + 12)
    await shared.append(record, 5_000).catch(() => undefined)
    await expect(shared.append(record, 5_000)).rejects.toThrow(/the next try is in \d+ s/)
  },
)

test('records that the topic will never take spend no epoch each', async () => {
  const { spent, shared } = sharedPartition(() => 'refused')
  for (let count = 0; count < 10; count++) {
    await expect(shared.append(record, 5_000)).rejects.toMatchObject({ outcome: 'refused' })
  }
  expect(spent.epochs).toBe(1)
})

test('one that is overtaken now and then takes over again at once, for each of its terms wrote something', async () => {
  let appends = 0
  const { spent, shared } = sharedPartition(() => (appends++ % 2 === 1 ? 'fenced' : undefined))
  for (let count = 0; count < 30; count++) await shared.append(record, 5_000)
  expect(spent).toEqual({ epochs: 30, appended: 30 })
})
