import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { AnnalsClient } from '#client'
import { eventTopic, type StreamId, streamIdOf } from '#domain'
import { KafkaCluster } from '#kafka'

import { cliWith, type RunCli } from '../cli/cli.ts'
import { type LoggedPartition, readLog } from '../append/log-check.ts'
import { type Installation, installation, type RealWriter, startRealWriter } from '../services/real-writer.ts'
import { positionsInLog } from './replayed.ts'
import { testStack, waitFor } from '../stack/stack.ts'
import { purchase } from '../services/writer-fixture.ts'

export const streams = 30
export const eventsEach = 40
const partitions = 4

/** A topic to replay from. Its writer has stopped, so nothing else changes it. */
export interface ReplaySource {
  readonly where: Installation
  readonly type: string
  readonly topic: string
  readonly cluster: KafkaCluster
  readonly annals: RunCli
  readonly log: readonly LoggedPartition[]
  /** Positions of all events. */
  readonly all: readonly string[]
  /** The events as answered by the writer over HTTP, each as one line of JSON. */
  readonly answered: readonly string[]
  /** A time between the first and the second half of the events, which have the correlation ids `first` and `second`. */
  readonly middle: string
  /** @param index 0 to {@link streams} - 1, for `even.0`, `odd.1`, … */
  streamOf(index: number): StreamId
  /** A path in the source's own folder. */
  pathOf(name: string): string
  /** Positions of the matching events. */
  inLog(passes: (event: LoggedPartition['events'][number], partition: number) => boolean): string[]
  readLog(): Promise<readonly LoggedPartition[]>
  close(): Promise<void>
}

/** Fills a topic through a real writer. @param typeCount of the installation; events have the first type. */
export async function openReplaySource(typeCount = 1): Promise<ReplaySource> {
  const where = installation({ ANNALS_KAFKA_PARTITIONS: String(partitions) }, typeCount)
  const { type } = where
  const folder = mkdtempSync(join(tmpdir(), 'annals-replay-'))
  const cluster = await KafkaCluster.connect({ brokers: testStack().kafkaBrokers, clientId: 'replay-test' })
  const filled = await fill(where)
  const readOwnLog = () => readLog({ ...where, domain: { ...where.domain, types: [type] } })
  const log = await readOwnLog()
  return {
    ...{ where, type, topic: eventTopic(type), cluster, annals: cliWith(where.env), log },
    ...{ all: positionsInLog(log), ...filled, readLog: readOwnLog },
    streamOf: (index) => streamOf(type, index),
    pathOf: (name) => join(folder, name),
    inLog: (passes) =>
      positionsInLog(
        log.map((each) => ({
          ...each,
          events: each.events.filter((event) => passes(event, each.partition)),
        })),
      ),
    close: async () => {
      await cluster.close()
      where.domain.remove()
      rmSync(folder, { recursive: true })
    },
  }
}

const streamOf = (type: string, index: number): StreamId =>
  streamIdOf(type, `${index % 2 === 0 ? 'even' : 'odd'}.${index}`)

async function fill(where: Installation) {
  const writer = await startRealWriter(where)
  await appendHalf(writer, where.type, 'first')
  const middle = await nextInstant()
  await appendHalf(writer, where.type, 'second')
  const answered = await answersOf(writer, where.type)
  await writer.close()
  return { middle, answered }
}

async function appendHalf({ url }: RealWriter, type: string, correlationId: string): Promise<void> {
  const client = new AnnalsClient({ url })
  const half = () =>
    Array.from({ length: eventsEach / 2 }, (_, index) => purchase(index + 1, { metadata: { correlationId } }))
  await Promise.all(
    Array.from({ length: streams }, (_, index) => client.append(streamOf(type, index), half())),
  )
  await client.close()
}

/** A time later than all previous events and not later than any following event. */
function nextInstant(): Promise<string> {
  const beforeMs = Date.now()
  return waitFor('the clock to advance', () =>
    Promise.resolve(Date.now() > beforeMs + 1 && new Date(beforeMs + 1).toISOString()),
  )
}

async function answersOf({ url }: RealWriter, type: string): Promise<string[]> {
  const lines: string[] = []
  let cursor = ''
  for (let atEnd = false; !atEnd;) {
    const answer = await fetch(`${url}/categories/${type}/events?limit=1000${cursor && `&cursor=${cursor}`}`)
    const page = (await answer.json()) as { events: object[]; cursor: string; atEnd: boolean }
    lines.push(...page.events.map((event) => JSON.stringify(event)))
    ;({ cursor, atEnd } = page)
  }
  return lines
}
