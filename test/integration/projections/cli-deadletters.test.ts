import { expect, test } from 'vitest'

import { formatPosition, type Position } from '#domain'

import { cliHere } from '../../support/cli/cli-here.ts'
import { testClient } from '../../support/services/closing.ts'
import { poisonCds, poisonInstallation } from '../../support/services/poison-domain.ts'
import { waitFor } from '../../support/stack/stack.ts'
import { caughtUp } from '../../support/projections/views-check.ts'
import {
  freshStream,
  purchase,
  runningProjector,
  runningWriter,
} from '../../support/services/writer-fixture.ts'

/** A writer, and purchases of which the reducer rejects three. */
async function poisoned() {
  const where = poisonInstallation()
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const buy = async (cds: number): Promise<Position> =>
    (await client.append(freshStream(where.type), [purchase(cds)])).position
  const bad = [await buy(poisonCds), await buy(poisonCds), await buy(poisonCds)].map(formatPosition)
  await buy(1)
  return { where, bad }
}

test('dead letters are listed, retried without success, dropped, and applied once after a fix', async () => {
  const { where, bad } = await poisoned()
  const name = where.settingAside
  const projector = await runningProjector(where)
  const annals = cliHere({ ANNALS_URL: projector.url })
  await caughtUp(projector.url, name)

  const listed = await annals(['deadletters', 'list', name])
  for (const position of bad) expect(listed.stdout).toMatch(new RegExp(`^${position} .*too many CDs`, 'm'))
  const [first = '', second = '', third = ''] = bad
  expect(await annals(['deadletters', 'retry', name, first])).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining('1 dead letter failed again') as string,
  })
  expect(await annals(['deadletters', 'drop', name, second])).toMatchObject({ exitCode: 2, stdout: '' })
  const dropped = await annals(['deadletters', 'drop', name, second, '--yes', '--json'])
  expect(dropped.json()).toEqual({ projection: name, dropped: 1 })
  await projector.close()

  const mended = await runningProjector(where, where.mended)
  const later = cliHere({ ANNALS_URL: mended.url })
  await waitFor(
    'the mended projector',
    async () => (await later(['projection', 'show', name])).exitCode === 0,
  )
  const retried = await waitFor('the retry', async () => {
    const end = await later(['deadletters', 'retry', name, first, third, '--json'])
    return end.exitCode === 0 && end.json()
  })
  expect(retried).toEqual({ projection: name, applied: 2, failed: [] })
  expect((await later(['deadletters', 'list', name])).stdout).toBe(`No dead letters of ${name}\n`)
  expect((await later(['deadletters', 'retry', name, '--json'])).json()).toMatchObject({ applied: 0 })
})

test('a stopped projection is shown with its reason, and stops again when resumed without a fix', async () => {
  const { where, bad } = await poisoned()
  const projector = await runningProjector(where)
  const annals = cliHere({ ANNALS_URL: projector.url })
  const shown = await waitFor('a stopped partition', async () => {
    const { stdout } = await annals(['projection', 'show', where.stopping])
    return stdout.includes('too many CDs') && stdout
  })
  expect(bad.some((position) => shown.includes(position.split(':').at(-1) ?? ''))).toBe(true)
  expect((await annals(['projection', 'resume', where.stopping])).stdout).toMatch(/resumed|go on/i)
  await waitFor('the partition to stop again', async () =>
    (await annals(['projection', 'show', where.stopping])).stdout.includes('too many CDs'),
  )
})

test('an unknown projection is reported in one line', async () => {
  const { where } = await poisoned()
  const projector = await runningProjector(where)
  const annals = cliHere({ ANNALS_URL: projector.url })
  for (const command of [
    ['deadletters', 'list', 'nothing'],
    ['deadletters', 'retry', 'nothing'],
    ['projection', 'show', 'nothing'],
    ['projection', 'resume', 'nothing'],
  ]) {
    const { exitCode, stderr, stdout } = await annals(command)
    expect([exitCode, stdout], command.join(' ')).toEqual([1, ''])
    expect(stderr.trimEnd()).toMatch(/^.*nothing.*$/)
  }
  const malformed = await annals(['deadletters', 'drop', where.settingAside, 'eventstore.customer', '--yes'])
  expect(malformed).toMatchObject({ exitCode: 2, stdout: '' })
})
