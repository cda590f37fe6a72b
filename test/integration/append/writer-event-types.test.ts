import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { AnnalsClient } from '#client'
import { type NewEvent, newEventId } from '#domain'

import { noPurchases } from '../../../examples/customers/totals.ts'
import { cliHere } from '../../support/cli/cli-here.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import {
  freshStream,
  purchase,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

/** An event of the type that the schemas know, and the domain module does not. */
const moved: NewEvent = { id: newEventId(), type: 'CustomerMoved', data: { city: 'Basel' } }
const state: NewEvent = { id: newEventId(), type: 'CustomerState', data: noPurchases }

function installationAhead(env?: Readonly<Record<string, string>>): Installation {
  const where = testInstallation(env)
  const schema = {
    type: 'record',
    name: moved.type,
    namespace: where.type.replaceAll('-', '_'),
    fields: [{ name: 'city', type: 'string' }],
  }
  writeFileSync(join(where.domain.schemaFolder, where.type, `${moved.type}.v1.avsc`), JSON.stringify(schema))
  return where
}

async function runningClient(where: Installation): Promise<AnnalsClient> {
  const client = new AnnalsClient({ url: (await runningWriter(where)).url })
  onTestFinished(() => client.close())
  return client
}

test('what the aggregate cannot evolve is refused, and the stream stays readable', async () => {
  const where = installationAhead()
  const client = await runningClient(where)
  const streamId = freshStream(where.type)
  await client.append(streamId, [purchase()])
  for (const event of [state, moved]) {
    await expect(client.append(streamId, [purchase(), event])).rejects.toMatchObject({
      code: 'unknown-event-type',
      details: { path: 'events[1].type' },
      message: expect.stringContaining(`"${event.type}": it has PurchaseMade.`) as string,
    })
  }
  expect(await client.state(streamId)).toMatchObject({ version: 1 })
})

test('ANNALS_WRITER_EVENT_TYPES=any takes every event with a schema; the schema of a state is none', async () => {
  const where = installationAhead({ ANNALS_WRITER_EVENT_TYPES: 'any' })
  const client = await runningClient(where)
  const streamId = freshStream(where.type)
  await client.append(streamId, [moved])
  await expect(client.append(streamId, [state])).rejects.toMatchObject({
    code: 'unknown-event-type',
    details: { path: 'events[0].type' },
    message: expect.stringContaining('it has CustomerMoved, PurchaseMade.') as string,
  })
  expect((await client.load(streamId)).version).toBe(1)
})

test('an import finds them before it appends anything', async () => {
  const where = installationAhead()
  const file = join(where.domain.schemaFolder, '..', 'events.ndjson')
  const lines = [purchase(), moved, state].map((event) =>
    JSON.stringify({ streamId: `${where.type}.1`, ...event }),
  )
  writeFileSync(file, lines.join('\n'))
  const report = await cliHere(where.env)(['import', file, '--dry-run', '--json'])
  expect(report.json()).toMatchObject({ problems: [{ line: 2 }, { line: 3 }] })
})
