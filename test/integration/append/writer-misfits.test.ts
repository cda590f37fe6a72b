import { expect, test } from 'vitest'

import { storedEvent, toLogRecord } from '#event-log/records'
import { LogReader } from '#kafka'

import { testClient } from '../../support/services/closing.ts'
import { indexKeys, openIndex } from '../../support/index/index-keys.ts'
import { readLog } from '../../support/append/log-check.ts'
import { appendPast, openDirectBackends, placeOf } from '../../support/append/past-the-writer.ts'
import { waitFor } from '../../support/stack/stack.ts'
import {
  freshStream,
  purchases,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

/** More events than two commits of a catch-up hold, so that a rebuild that starts over has reported progress. */
const events = 2_600

test('a misfit at the end of a long partition does not block it after the index is lost', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '1' })
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const streamId = freshStream(where.type)
  for (let left = events; left > 0; left -= 200) await client.append(streamId, purchases(200))
  const backends = await openDirectBackends(where)
  const { topic, partition } = placeOf(streamId, where.type, 1)
  const [first] = await Array.fromAsync(new LogReader(backends.cluster).read(topic, partition, { from: 0 }))
  const record = first?.[0]
  if (record === undefined) throw new Error('the log is empty')
  await appendPast(backends, topic, partition, [toLogRecord(storedEvent(record))])

  const redis = await openIndex(where)
  await redis.call('UNLINK', await indexKeys(redis))
  const appended = await waitFor('an append after the index was lost', () =>
    client.append(streamId, purchases(1)),
  )
  expect(appended.lastVersion).toBe(events + 1)
  const [log] = await readLog(where)
  const markers = (log?.endOffset ?? 0) - (log?.events.length ?? 0)
  // The writer's first term, that of the misfit, and at most one or two more of the writer.
  expect(markers, 'started terms').toBeLessThanOrEqual(4)
})
