import { expect, test } from 'vitest'

import { parseVersion, type StreamId, streamIdOf } from '#domain'
import { partitionFor } from '#event-store'
import { eventTopic } from '#kafka'

import { cliHere } from '../support/cli-here.ts'
import { testClient } from '../support/closing.ts'
import { deleteHead } from '../support/harmed-topics.ts'
import { indexKeys, openIndex } from '../support/index-keys.ts'
import type { Installation } from '../support/real-writer.ts'
import { waitFor } from '../support/stack.ts'
import {
  freshStream,
  purchase,
  purchases,
  runningWriter,
  testInstallation,
} from '../support/writer-fixture.ts'

const partitions = 2

/** A stream of partition 0. */
function streamInFirst(type: string): StreamId {
  for (let count = 0; ; count++) {
    const streamId = streamIdOf(type, `c-${count}`)
    if (partitionFor(streamId, partitions) === 0) return streamId
  }
}

/** Two types with events; of the first one's partition 0 everything before version 3 of a stream is deleted. */
async function truncated() {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: String(partitions) }, 2)
  const [type = '', other = ''] = where.domain.types
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const cut = streamInFirst(type)
  await client.append(cut, purchases(2))
  const third = await client.append(cut, [purchase(3)])
  await client.append(cut, purchases(2))
  const whole = freshStream(other)
  await client.append(whole, purchases(2))
  const offset = third.position?.offset ?? 0
  await deleteHead(where, eventTopic(type), 0, offset)
  const annals = cliHere({ ...where.env, ANNALS_URL: writer.url })
  return { where, writer, client, type, cut, whole, offset, annals }
}

async function emptyRedis(where: Installation): Promise<void> {
  const redis = await openIndex(where)
  await redis.call('UNLINK', await indexKeys(redis))
}

test('index rebuild of a log without its head drops nothing, and names the two remedies', async () => {
  const { annals, client, cut, type, where } = await truncated()
  const before = await indexKeys(await openIndex(where))
  const refused = await annals(['index', 'rebuild', type, '--yes', '--json'])
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr + refused.stdout).toContain('events-deleted')
  expect(refused.stderr + refused.stdout).toMatch(/Restore a backup of .*--accept-deleted-events --yes/)
  expect(await indexKeys(await openIndex(where))).toEqual(before)
  expect(await client.append(cut, [purchase()])).toMatchObject({ lastVersion: 6 })
})

test('a log without its head whose index is lost waits for an operator, who accepts what is gone; others go on', async () => {
  const { where, writer, annals, client, cut, whole, type, offset } = await truncated()
  await emptyRedis(where)
  await waitFor('the partition to wait', async () => {
    const error: unknown = await client.append(cut, [purchase()]).catch((reason: unknown) => reason)
    return (error as { code?: string }).code === 'events-deleted'
  })
  await expect(client.info(cut)).rejects.toMatchObject({ code: 'events-deleted' })
  expect(await client.append(whole, [purchase()])).toMatchObject({ lastVersion: 3 })
  const state = { topic: eventTopic(type), partition: 0, state: 'events-deleted' }
  expect(writer.writer.checkServing()).toMatchObject({ waitForOperator: [state] })

  // Exactly what the message and docs/operations/failover.md say.
  const accepted = await annals(['index', 'rebuild', type, '--accept-deleted-events', '--yes'])
  expect(accepted).toMatchObject({ exitCode: 0, stderr: '' })
  expect(accepted.stdout).toContain(`${eventTopic(type)}/0 is served from offset ${offset} on`)
  expect(await client.info(cut)).toMatchObject({ version: 5 })
  expect(await client.append(cut, [purchase()], { expectedVersion: parseVersion(5, 'version') })).toMatchObject({ lastVersion: 6 })
  await expect(client.read(cut)).rejects.toMatchObject({ code: 'events-deleted' })
  const left = await client.read(cut, { fromVersion: parseVersion(3, 'version') })
  expect(left.events.map(({ version }) => version)).toEqual([3, 4, 5, 6])
  expect(writer.writer.checkServing()).toEqual({ owned: 4 })

  await emptyRedis(where)
  const again = await annals(['index', 'rebuild', type, '--yes'])
  expect(again.exitCode).toBe(1)
})
