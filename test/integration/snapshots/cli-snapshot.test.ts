import { expect, test } from 'vitest'

import { cliHere } from '../../support/cli/cli-here.ts'
import type { Json } from '../../support/cli/cli.ts'
import { snapshottedInstallation } from '../../support/services/snapshotter-fixture.ts'
import { snapshotAt } from '../../support/snapshots/snapshot-checks.ts'
import { freshStream, purchases } from '../../support/services/writer-fixture.ts'

async function shop() {
  const { where, client, snapshotter } = await snapshottedInstallation({ ANNALS_KAFKA_PARTITIONS: '2' })
  const streamId = freshStream(where.type)
  await client.append(streamId, purchases(12))
  await snapshotAt(client, streamId, 12)
  return { type: where.type, streamId, client, annals: cliHere({ ANNALS_URL: snapshotter.url }) }
}

test('snapshot take and stats print text for people and JSON for programs', async () => {
  const { type, streamId, client, annals } = await shop()
  await client.append(streamId, purchases(1))
  const taken = await annals(['snapshot', 'take', streamId])
  expect(taken).toMatchObject({ exitCode: 0, stderr: '' })
  expect(taken.stdout).toMatch(
    new RegExp(`^Snapshot of ${streamId} taken at version 13: \\d+ bytes, in \\d+ ms\n$`),
  )
  const again = await annals(['snapshot', 'take', streamId, '--json'])
  expect(again.json()).toMatchObject({ streamId, version: 13, stateVersion: 1, created: false })

  const [stats] = (await annals(['snapshot', 'stats', '--json'])).json()['types'] as Json[]
  expect(stats).toMatchObject({ aggregateType: type, every: 10, count: 1, outdated: 0 })
  const shown = (await annals(['snapshot', 'stats'])).stdout.split('\n')
  expect(shown[0]).toMatch(/^type +every +snapshots +outdated +bytes/)
  expect(shown[1]).toMatch(new RegExp(`^${type} +10 +1 +0 +\\d+ +20`))
})

test('snapshot rebuild waits for the end unless --no-wait is given', async () => {
  const { type, annals } = await shop()
  const waited = await annals(['snapshot', 'rebuild', type])
  expect(waited).toMatchObject({ exitCode: 0, stdout: `The snapshots of ${type} are rebuilt\n` })
  expect(waited.stderr).toMatch(/^\d+ % \(\d+ of \d+\)/)
  const asJson = await annals(['snapshot', 'rebuild', type, '--json'])
  expect(asJson.stderr).toBe('')
  expect(asJson.json()).toMatchObject({ aggregateType: type, status: 'done' })
  const unwatched = await annals(['snapshot', 'rebuild', type, '--no-wait'])
  expect(unwatched).toMatchObject({ exitCode: 0, stderr: '' })
  expect(unwatched.stdout).toContain('has started')
})

test('snapshot cleanup does nothing without --yes', async () => {
  const { type, annals } = await shop()
  const refused = await annals(['snapshot', 'cleanup', type])
  expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
  expect(refused.stderr).toContain('--yes')
  const done = await annals(['snapshot', 'cleanup', type, '--yes'])
  expect(done).toMatchObject({ exitCode: 0, stdout: `0 outdated snapshots of ${type} removed\n` })
})

test('an unknown stream and a server without snapshots are reported in one line', async () => {
  const { type, annals } = await shop()
  const missing = await annals(['snapshot', 'take', `${type}.missing`])
  expect(missing).toMatchObject({ exitCode: 1, stdout: '' })
  expect(missing.stderr).toBe(`error: there is no stream ${type}.missing\n`)
  const away = await annals(['snapshot', 'stats', '--url', 'http://127.0.0.1:1'])
  expect(away.exitCode).toBe(3)
})
