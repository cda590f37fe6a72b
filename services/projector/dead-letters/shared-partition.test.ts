import { expect, test } from 'vitest'

import { LogError, type LogOutcome, type LogRecord } from '#kafka'
import { TakeOverPace } from '#ownership'

import { SharedPartition } from './shared-partition.ts'

const record: LogRecord = { key: Buffer.from('k'), value: null, headers: [], timestampMs: 0 }

/** A partition with controlled outcomes of appends, and the number of its take-overs. */
function sharedPartition(outcomeOf: () => LogOutcome | undefined, newPace = () => new TakeOverPace()) {
  const spent = { epochs: 0, appended: 0, logs: 0 }
  const openLog = () => {
    spent.logs++
    return logOf()
  }
  const logOf = () => ({
    topic: 'deadletters.mails',
    partition: 0,
    takeOver: () => Promise.resolve({ epoch: spent.epochs++, producerId: 1n, endOffset: 0, topicId: '' }),
    append: () => {
      const outcome = outcomeOf()
      if (outcome !== undefined) return Promise.reject(new LogError(outcome, outcome))
      spent.appended++
      return Promise.resolve({ firstOffset: 0, lastOffset: 0, strays: [] })
    },
  })
  return { spent, shared: new SharedPartition({ name: 'deadletters.mails/0', openLog, newPace }) }
}

test.for(['unknown', 'take-over', 'fenced', 'log-replaced'] as const)(
  'appends that always end as %s consume epochs slowly, and are rejected meanwhile',
  async (outcome) => {
    let nowMs = 0
    const newPace = () => new TakeOverPace(() => nowMs)
    const { spent, shared } = sharedPartition(() => outcome, newPace)
    const messages: string[] = []
    for (; nowMs < 600_000; nowMs += 5_000) {
      await shared.append(record, 5_000).catch((error: unknown) => messages.push((error as Error).message))
    }
    expect(messages).toHaveLength(120)
    expect(spent.epochs).toBeLessThanOrEqual(10 + 3 * 10)
    expect(messages.at(-2)).toMatch(/the next one is in \d+ s/)
  },
)

test('records that the topic can never accept consume no epochs', async () => {
  const { spent, shared } = sharedPartition(() => 'refused')
  for (let count = 0; count < 10; count++) {
    await expect(shared.append(record, 5_000)).rejects.toMatchObject({ outcome: 'refused' })
  }
  expect(spent.epochs).toBe(1)
})

test('a partition that is sometimes fenced is taken over again immediately, because each of its terms appended records', async () => {
  let appends = 0
  const { spent, shared } = sharedPartition(() => (appends++ % 2 === 1 ? 'fenced' : undefined))
  for (let count = 0; count < 30; count++) await shared.append(record, 5_000)
  expect(spent).toEqual({ epochs: 30, appended: 30, logs: 30 })
})

test('a topic that was deleted and created again gets a new log, because the old one rejects all further appends', async () => {
  let appends = 0
  const { spent, shared } = sharedPartition(() => (appends++ === 1 ? 'log-replaced' : undefined))
  await shared.append(record, 5_000)
  await expect(shared.append(record, 5_000)).rejects.toMatchObject({ outcome: 'log-replaced' })
  await shared.append(record, 5_000)
  expect(spent).toEqual({ epochs: 2, appended: 2, logs: 2 })
})
