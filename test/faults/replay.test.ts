import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { AnnalsClient } from '#client'
import { streamIdOf } from '#domain'

import { freePorts, type KafkaBroker, startKafka } from '../../scripts/stack/index.ts'
import { cliWith } from '../support/cli.ts'
import { startCli } from '../support/cli-process.ts'
import { readLog } from '../support/log-check.ts'
import { type Installation, installation, startRealWriter } from '../support/real-writer.ts'
import { eventsInFile, positionsInLog, positionsOf } from '../support/replayed.ts'
import { waitFor } from '../support/stack.ts'
import { purchases } from '../support/writer-fixture.ts'

const streams = 40
const eventsEach = 50

let folder: string
let kafka: KafkaBroker
let start: () => Promise<KafkaBroker>
let where: Installation
let all: readonly string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'annals-replay-fault-'))
  const [port = 0, controllerPort = 0] = await freePorts(2)
  start = () =>
    startKafka({
      ...{ port, controllerPort, folder: join(folder, 'kafka'), logFile: join(folder, 'kafka.log') },
      report: () => undefined,
    })
  kafka = await start()
  where = installation({ ANNALS_KAFKA_BROKERS: kafka.address, ANNALS_KAFKA_PARTITIONS: '4' })
  await fill()
  all = positionsInLog(await readLog(where))
})

afterEach(async () => {
  await kafka.stop()
  where.domain.remove()
  rmSync(folder, { recursive: true, force: true })
})

async function fill(): Promise<void> {
  const writer = await startRealWriter(where)
  const client = new AnnalsClient({ url: writer.url })
  const append = (_: unknown, index: number) =>
    client.append(streamIdOf(where.type, String(index)), purchases(eventsEach))
  await Promise.all(Array.from({ length: streams }, append))
  await client.close()
  await writer.close()
}

async function killKafka(): Promise<void> {
  kafka.kill('SIGKILL')
  await kafka.exited
}

const args = (path: string, ...more: string[]) => ['replay', where.type, '--to-file', path, ...more]

/** A replay that is met in the middle, whatever a reader has fetched ahead. */
async function begun(path: string, ...more: string[]) {
  const replay = startCli(where.env, args(path, '--rate', '400', '--parallel', '1', ...more))
  await waitFor('a part of the file', () => Promise.resolve(existsSync(path) && statSync(path).size > 30_000))
  return replay
}

test('a broker that dies in mid-replay and comes back is waited for: no event is missing or there twice', async () => {
  const path = join(folder, 'events.ndjson')
  const replay = await begun(path)
  await killKafka()
  kafka = await start()
  const end = await replay.ended
  expect(end).toMatchObject({ exitCode: 0 })
  expect(positionsOf(eventsInFile(path))).toEqual(all)
})

test('one that stays away ends the replay with how to go on, and that completes the file', async () => {
  const path = join(folder, 'events.ndjson')
  const replay = await begun(path, '--timeout', '2', '--json')
  await killKafka()
  const end = await replay.ended
  expect(end.exitCode).toBe(3)
  expect(end.stderr).toMatch(
    /error: reading .* failed: .* events were replayed, next is .*\. Go on by the same command with --resume/,
  )
  const error = end.json()['error'] as { code: string; events: number }
  expect(error.code).toBe('kafka-unavailable')
  expect(eventsInFile(path)).toHaveLength(error.events)
  expect(error.events).toBeLessThan(all.length)

  const tooSoon = await cliWith(where.env)(args(path, '--resume', '--timeout', '1'))
  expect(tooSoon).toMatchObject({ exitCode: 3 })
  kafka = await start()
  expect(await cliWith(where.env)(args(path, '--resume'))).toMatchObject({ exitCode: 0 })
  expect(positionsOf(eventsInFile(path))).toEqual(all)
})
