import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'

import { loadConfig } from '#config'
import { newEventId, partitionFor, type StreamId, streamIdOf, type Version } from '#domain'
import { toLogRecord } from '#event-log/records'
import { FencedLog, KafkaCluster, type LogRecord, Topics } from '#kafka'
import type { EventCodec } from '#schemas'
import { eventTopicSpec, kafkaSettings, loadDomain, openCodec } from '#service'

import { freePorts, type KafkaBroker, startKafka } from '../../scripts/stack/index.ts'
import { cliHere } from '../support/cli/cli-here.ts'
import { startCli } from '../support/cli/cli-process.ts'
import { readLog } from '../support/append/log-check.ts'
import { type Installation, installation } from '../support/services/real-writer.ts'
import { eventsInFile, positionsInLog, positionsOf } from '../support/operations/replayed.ts'
import { waitFor } from '../support/stack/stack.ts'
import { purchases } from '../support/services/writer-fixture.ts'

// On a busy machine the start of a broker and a command has taken more than a minute.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const streams = 40
const eventsEach = 50

let folder: string
let kafka: KafkaBroker
let start: () => Promise<KafkaBroker>
let where: Installation
let all: readonly string[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'annals-replay-fault-'))
  const [port = 0, controllerPort = 0] = await freePorts(2)
  start = () =>
    startKafka({
      ...{ port, controllerPort, folder: join(folder, 'kafka'), logFile: join(folder, 'kafka.log') },
      report: () => undefined,
    })
  kafka = await start()
})

afterAll(async () => {
  await kafka.stop()
  rmSync(folder, { recursive: true, force: true })
})

beforeEach(async () => {
  where = installation({ ANNALS_KAFKA_BROKERS: kafka.address, ANNALS_KAFKA_PARTITIONS: '4' })
  await fill()
  all = positionsInLog(await readLog(where))
})

afterEach(() => where.domain.remove())

/** Appends without a writer: this test needs none, and a broker that has just started would take longer. */
async function fill(): Promise<void> {
  const config = loadConfig(where.env)
  const codec = await openCodec(config, await loadDomain(config.domain.modules), { push: true })
  const cluster = await KafkaCluster.connect(kafkaSettings(config))
  const topic = eventTopicSpec(where.type, config.kafka)
  await new Topics(cluster).ensure([topic])
  const all = Array.from({ length: streams }, (_, index) => streamIdOf(where.type, String(index)))
  const byPartition = Map.groupBy(all, (streamId) => partitionFor(streamId, topic.partitions))
  for (const [partition, own] of byPartition) {
    const log = new FencedLog(cluster, topic.name, partition)
    await log.takeOver()
    for (const streamId of own) await log.append(recordsOf(streamId, codec))
  }
  await cluster.close()
}

const now = (date = new Date()) => ({ timestamp: date.toISOString(), timestampMs: date.getTime() })

const recordsOf = (streamId: StreamId, codec: EventCodec): LogRecord[] =>
  purchases(eventsEach).map(({ id = newEventId(), type, data }, index) =>
    toLogRecord({
      ...{ id, streamId, type, metadata: {}, version: (index + 1) as Version },
      ...now(),
      value: codec.encode(where.type, type, data),
    }),
  )

async function killKafka(): Promise<void> {
  kafka.kill('SIGKILL')
  await kafka.exited
}

const args = (path: string, ...more: string[]) => ['replay', where.type, '--to-file', path, ...more]

/** Starts a replay and waits until it is in the middle, whatever a reader has prefetched. */
async function startedReplay(path: string, ...more: string[]) {
  const replay = startCli(where.env, args(path, '--rate', '400', '--parallel', '1', ...more))
  const isPartWritten = () => Promise.resolve(existsSync(path) && statSync(path).size > 30_000)
  await waitFor('a part of the file', isPartWritten, { timeoutMs: 120_000 })
  return replay
}

test('a broker that dies during a replay and comes back is waited for: no event is missing or duplicated', async () => {
  const path = join(folder, `${where.type}.ndjson`)
  const replay = await startedReplay(path, '--timeout', '90')
  await killKafka()
  kafka = await start()
  const end = await replay.ended
  expect(end).toMatchObject({ exitCode: 0 })
  expect(positionsOf(eventsInFile(path))).toEqual(all)
})

test('a broker that stays down ends the replay with instructions to resume, and they complete the file', async () => {
  const path = join(folder, `${where.type}.ndjson`)
  const replay = await startedReplay(path, '--timeout', '10', '--json')
  await killKafka()
  const end = await replay.ended
  expect(end.exitCode).toBe(3)
  expect(end.stderr).toMatch(
    /error: reading .* failed: .* events were replayed, next is .*\. Run the same command with --resume to continue/,
  )
  const error = end.json()['error'] as { code: string; events: number }
  expect(error.code).toBe('kafka-unavailable')
  expect(eventsInFile(path)).toHaveLength(error.events)
  expect(error.events).toBeLessThan(all.length)

  const tooSoon = await cliHere(where.env)(args(path, '--resume', '--timeout', '1'))
  expect(tooSoon).toMatchObject({ exitCode: 3 })
  kafka = await start()
  expect(await cliHere(where.env)(args(path, '--resume'))).toMatchObject({ exitCode: 0 })
  expect(positionsOf(eventsInFile(path))).toEqual(all)
})
