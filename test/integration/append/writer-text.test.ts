import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { AnnalsClient } from '#client'
import { newEventId, type StreamId } from '#domain'

import { cliHere } from '../../support/cli/cli-here.ts'
import {
  appendPast,
  openDirectBackends,
  placeOf,
  purchaseRecord,
} from '../../support/append/past-the-writer.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import {
  freshStream,
  purchase,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

const oddIds = ['a\u202eb', 'a\u200bb', 'a\ufe0f', 'Zoe\u0308']
const oddMetadata = { userId: 'a\r\nx: 1', correlationId: '\u001b[31m', source: 'urn:\u0085' }

async function runningClient(where: Installation): Promise<AnnalsClient> {
  const client = new AnnalsClient({ url: (await runningWriter(where)).url })
  onTestFinished(() => client.close())
  return client
}

test('events written by an older version stay readable, and their streams can be appended to', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '1' })
  // Creates the topic.
  await (await runningWriter(where)).close()
  const backends = await openDirectBackends(where)
  const streamIds = oddIds.map((id) => `${freshStream(where.type)}${id}` as StreamId)
  const records = streamIds.map((streamId) =>
    purchaseRecord(backends, where.type, streamId, 1, { metadata: oddMetadata }),
  )
  const { topic, partition } = placeOf(streamIds[0] ?? ('' as StreamId), where.type, 1)
  await appendPast(backends, topic, partition, records)
  const client = await runningClient(where)
  for (const streamId of streamIds) {
    expect((await client.load(streamId)).events).toMatchObject([{ version: 1, metadata: oddMetadata }])
    expect(await client.append(streamId, [purchase()])).toMatchObject({ firstVersion: 2 })
    expect(await client.state(streamId)).toMatchObject({ version: 2, state: { purchases: 2 } })
  }
  const { events } = await client.readCategory(where.type)
  expect(events).toHaveLength(2 * streamIds.length)
})

test('an import names the lines with invalid ids or metadata', async () => {
  const where = testInstallation()
  const file = join(where.domain.schemaFolder, '..', 'events.ndjson')
  const line = (streamId: string, more: object) =>
    JSON.stringify({ streamId, ...purchase(1, { id: newEventId(), ...more }) })
  const lines = [
    ...oddIds.map((id) => line(`${where.type}.${id}`, {})),
    ...Object.entries(oddMetadata).map(([name, value]) =>
      line(`${where.type}.1`, { metadata: { [name]: value } }),
    ),
    line(`${where.type}.1`, {}),
  ]
  writeFileSync(file, lines.join('\n'))
  const report = await cliHere(where.env)(['import', file, '--dry-run', '--json', '--errors-max', '100'])
  expect(report.json()).toMatchObject({
    events: 1,
    problems: [
      ...oddIds.map((_, index) => ({ line: index + 1, path: 'streamId' })),
      { line: 5, path: 'metadata.userId' },
      { line: 6, path: 'metadata.correlationId' },
      { line: 7, path: 'metadata.source' },
    ],
  })
})
