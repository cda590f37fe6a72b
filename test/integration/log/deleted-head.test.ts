import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { eventTopic, parseVersion, partitionFor, type StreamId, streamIdOf } from '#domain'

import { cliHere } from '../../support/cli/cli-here.ts'
import { testClient } from '../../support/services/closing.ts'
import { deleteHead, deleteTopic } from '../../support/kafka/harmed-topics.ts'
import { indexKeys, openIndex } from '../../support/index/index-keys.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import { waitFor } from '../../support/stack/stack.ts'
import {
  freshStream,
  purchase,
  purchases,
  runningProjector,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

const partitions = 2

/** A stream of partition 0. */
function streamInFirst(type: string): StreamId {
  for (let count = 0; ; count++) {
    const streamId = streamIdOf(type, `c-${count}`)
    if (partitionFor(streamId, partitions) === 0) return streamId
  }
}

/** An installation with events of two types. In partition 0 of the first, everything before version 3 of a stream is deleted. */
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
  const offset = third.position.offset
  await deleteHead(where, eventTopic(type), 0, offset)
  const annals = cliHere({ ...where.env, ANNALS_URL: writer.url })
  return { where, writer, client, type, cut, whole, offset, annals }
}

async function emptyRedis(where: Installation): Promise<void> {
  const redis = await openIndex(where)
  await redis.call('UNLINK', await indexKeys(redis))
}

interface Finding {
  readonly code?: string
  readonly subject?: string
  readonly message?: string
  readonly remedy?: string
  readonly setting?: string
}

test('topics check, doctor and verify report a deleted head and what to do; backup and replay include the rest', async () => {
  const { annals, type, offset } = await truncated()
  const checked = await annals(['topics', 'check'])
  expect(checked.exitCode).toBe(1)
  expect(checked.stdout).toMatch(
    new RegExp(
      `${eventTopic(type)}.*first offset of partition 0 is ${offset}, .*--accept-deleted-events --yes`,
    ),
  )
  const examined = (await annals(['doctor', '--json'])).json()['findings'] as Finding[]
  expect(examined).toContainEqual(
    expect.objectContaining({
      status: 'fail',
      subject: `topic ${eventTopic(type)}`,
      remedy: expect.stringContaining('restore a backup') as string,
    }),
  )
  const verified = (await annals(['verify', '--json'])).json()['findings'] as Finding[]
  expect(verified.map(({ code }) => code)).toEqual(['events-deleted'])

  const folder = await mkdtemp(join(tmpdir(), 'annals-truncated-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const backup = await annals(['backup', join(folder, 'backup'), '--json'])
  expect(backup.exitCode).toBe(0)
  expect(backup.json()).toMatchObject({ status: 'made', events: 5 })
  expect(backup.stderr).toContain(`partition 0 of ${eventTopic(type)} starts at offset ${offset}`)
  const replayed = await annals(['replay', type, '--to-file', join(folder, 'events.ndjson')])
  expect(replayed.exitCode).toBe(0)
  expect(replayed.stderr).toContain(`partition 0 of ${eventTopic(type)} starts at offset ${offset}`)
  const lines = (await readFile(join(folder, 'events.ndjson'), 'utf8')).trim().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { version: number }).version)).toEqual([3, 4, 5])
})

test('index rebuild drops nothing of a log without its head, and names the two remedies', async () => {
  const { annals, client, cut, type, where } = await truncated()
  const before = await indexKeys(await openIndex(where))
  const refused = await annals(['index', 'rebuild', type, '--yes', '--json'])
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr + refused.stdout).toContain('events-deleted')
  expect(refused.stderr + refused.stdout).toMatch(/Restore a backup of .*--accept-deleted-events --yes/)
  expect(await indexKeys(await openIndex(where))).toEqual(before)
  expect(await client.append(cut, [purchase()])).toMatchObject({ lastVersion: 6 })
})

test('a log without head and index waits until an operator accepts the deletion; other partitions are served', async () => {
  const { where, writer, annals, client, cut, whole, type, offset } = await truncated()
  await emptyRedis(where)
  // An owner that has the stream in memory appends to the log until a commit shows that its index is gone.
  let version = 5
  await waitFor('the partition to wait', async () => {
    const end = await client.append(cut, [purchase()]).catch((reason: unknown) => reason as { code?: string })
    if ('lastVersion' in end) version = end.lastVersion
    return 'code' in end && end.code === 'events-deleted'
  })
  await expect(client.info(cut)).rejects.toMatchObject({ code: 'events-deleted' })
  expect(await client.append(whole, [purchase()])).toMatchObject({ lastVersion: 3 })
  const state = { topic: eventTopic(type), partition: 0, state: 'events-deleted' }
  expect(writer.writer.checkServing()).toMatchObject({ waitForOperator: [state] })

  // The exact command in the message and in docs/operations/failover.md.
  const accepted = await annals(['index', 'rebuild', type, '--accept-deleted-events', '--yes'])
  expect(accepted).toMatchObject({ exitCode: 0, stderr: '' })
  expect(accepted.stdout).toContain(`${eventTopic(type)}/0 is served from offset ${offset} on`)
  expect(await client.info(cut)).toMatchObject({ version })
  expect(
    await client.append(cut, [purchase()], { expectedVersion: parseVersion(version, 'version') }),
  ).toMatchObject({ lastVersion: version + 1 })
  await expect(client.read(cut)).rejects.toMatchObject({ code: 'events-deleted' })
  const left = await client.read(cut, { fromVersion: parseVersion(3, 'version') })
  expect(left.events.map((event) => event.version)).toEqual(
    Array.from({ length: version - 1 }, (_, index) => 3 + index),
  )
  expect(writer.writer.checkServing()).toEqual({ owned: 4 })
  expect(await annals(['topics', 'check'])).toMatchObject({ exitCode: 0 })
  expect((await annals(['verify'])).stdout).toMatch(/1 with an accepted missing head[^]*No findings/)

  await emptyRedis(where)
  const again = await annals(['index', 'rebuild', type, '--yes'])
  expect(again.exitCode).toBe(1)
})

test('a backup restored over the deleted topic restores the head; the other type is still served', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: String(partitions) }, 2)
  const [type = '', other = ''] = where.domain.types
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const cut = streamInFirst(type)
  const third = await client.append(cut, purchases(4))
  const whole = freshStream(other)
  await client.append(whole, purchases(2))
  const folder = await mkdtemp(join(tmpdir(), 'annals-truncated-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const annals = cliHere({ ...where.env, ANNALS_URL: writer.url })
  expect(await annals(['backup', join(folder, 'before'), '--type', type])).toMatchObject({ exitCode: 0 })
  await deleteHead(where, eventTopic(type), 0, third.position.offset)
  await emptyRedis(where)
  await waitFor('the partition to wait', async () => {
    const error: unknown = await client.info(cut).catch((reason: unknown) => reason)
    return (error as { code?: string }).code === 'events-deleted'
  })

  // The procedure of docs/operations/failover.md.
  await writer.close()
  await deleteTopic(where, eventTopic(type))
  const restored = await annals(['restore', join(folder, 'before'), '--verify'])
  expect(restored.stderr).toBe('')
  expect(restored.exitCode).toBe(0)
  const again = await runningWriter(where)
  const restarted = testClient({ url: again.url })
  await waitFor('all to be served', () => Promise.resolve(again.writer.checkServing().owned === 4))
  expect(again.writer.checkServing()).toEqual({ owned: 4 })
  expect((await restarted.read(cut)).events.map(({ version }) => version)).toEqual([1, 2, 3, 4])
  expect(await restarted.append(cut, [purchase()])).toMatchObject({ lastVersion: 5 })
  expect(await restarted.append(whole, [purchase()])).toMatchObject({ lastVersion: 3 })
  expect((await annals(['verify'])).stdout).toMatch(/No findings/)
})

test('a projection that needs deleted events waits and reports it; after acceptance it is built from the rest', async () => {
  const { where, annals, type, cut } = await truncated()
  const projector = await runningProjector(where)
  const { api } = projector.projector
  const { lifetime } = where.domain.projections
  const key = cut.slice(type.length + 1)
  await waitFor('the projection to wait', () =>
    Promise.resolve(projector.projector.checkServing().waitForOperator !== undefined),
  )
  expect(projector.projector.checkServing().waitForOperator).toMatchObject([
    { topic: eventTopic(type), partition: 0, state: 'events-deleted' },
  ])
  await expect(api.view(lifetime, key)).rejects.toMatchObject({ code: 'events-deleted' })

  expect(await annals(['index', 'rebuild', type, '--accept-deleted-events', '--yes'])).toMatchObject({
    exitCode: 0,
  })
  const view = await waitFor('the view of the remaining events', () =>
    api.view(lifetime, key).catch(() => undefined),
  )
  expect(view.view).toMatchObject({ purchases: 3 })
  expect(projector.projector.checkServing()).not.toHaveProperty('waitForOperator')
})
