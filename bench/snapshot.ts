import pino from 'pino'
import { Counter, Registry } from 'prom-client'

import { eventTopic, type StreamId, streamIdOf } from '#domain'
import { LogReader } from '#kafka'
import { HealthRegistry } from '#observability'
import { SnapshotCheckpoint } from '#redis-index'

import { openSnapshotter } from '../services/snapshotter/index.ts'
import { withClosing } from './closing.ts'
import type { CoreWriter } from './contenders/core.ts'
import { appended } from './domain/domain.ts'
import { type Bench, medians, timeMs } from './measure.ts'
import { measureProgress, untilAtLeast } from './project-progress.ts'
import { withCore } from './with-core.ts'

const rounds = 3
const streams = 10_000
const eventsPerStream = 20
const appendsInFlight = 256
/**
 * A multiple of a snapshot's ten events would take a snapshot at each append. With five it takes one at every second
 * append.
 */
const eventsPerAppend = 5
const livePerSecond = 10_000
const liveMs = 15_000
const tickMs = 5

interface CatchUp {
  readonly eventsPerSecond: number
  readonly snapshotsPerSecond: number
}

interface Live {
  readonly appendedPerSecond: number
  readonly snapshotsPerSecond: number
  /** Events that it had not processed when the last append was acknowledged. */
  readonly lagEvents: number
  /** How long until it had processed them. */
  readonly caughtUpMs: number
}

interface Result {
  readonly catchUp: CatchUp
  readonly live: Live
}

/** The snapshotter and a writer in one process: first on new streams, then while events arrive at a constant rate. */
export const snapshot: Bench<Result> = {
  run: (say) =>
    withCore(say, async (core) => {
      const catchUps: CatchUp[] = []
      const lives: Live[] = []
      for (let round = 0; round < rounds; round++) {
        say(`round ${round + 1} of ${rounds}: ${streams * eventsPerStream} events …`)
        await fill(core, round)
        await withSnapshotter(core, async (taken) => {
          catchUps.push(await measureCatchUp(core, taken))
          lives.push(await measureLive(core, taken, round))
        })
      }
      return { catchUp: medians(catchUps), live: medians(lives) }
    }),
  format: ({ catchUp, live }) =>
    [
      '| what | events/s | snapshots/s | lag at the end | caught up after |',
      '| --- | --- | --- | --- | --- |',
      `| from nothing | ${catchUp.eventsPerSecond} | ${catchUp.snapshotsPerSecond} | | |`,
      `| live, ${livePerSecond} events/s for ${liveMs / 1_000} s | ${live.appendedPerSecond} | ${live.snapshotsPerSecond} | ${live.lagEvents} events | ${live.caughtUpMs} ms |`,
    ].join('\n'),
}

const streamOf = (round: string, n: number): StreamId => streamIdOf('bench-core', `${round}-${n}`)

/** Every stream gets its events in several appends, so that streams are scattered over the log. */
async function fill(core: CoreWriter, round: number): Promise<void> {
  let next = 0
  const appends = (streams * eventsPerStream) / eventsPerAppend
  const worker = async () => {
    for (let n = next++; n < appends; n = next++) await appendTo(core, streamOf(`past-${round}`, n % streams))
  }
  await Promise.all(Array.from({ length: appendsInFlight }, worker))
}

const events = Array.from({ length: eventsPerAppend }, () => appended)

const appendTo = ({ service }: CoreWriter, stream: StreamId) => service.writer.local.append(stream, events)

function withSnapshotter(
  { backends, config, service }: CoreWriter,
  run: (taken: () => Promise<number>) => Promise<void>,
): Promise<void> {
  return withClosing(async (closing) => {
    const metrics = new Registry()
    const parts = { config, backends, health: new HealthRegistry(), metrics, logger: pino({ level: 'warn' }) }
    const snapshotter = openSnapshotter(parts, service.writer.api)
    await snapshotter.start()
    closing(() => snapshotter.stop())
    await run(() => counted(metrics))
  })
}

async function counted(metrics: Registry): Promise<number> {
  const counter = metrics.getSingleMetric('annals_snapshotter_snapshots_total')
  if (!(counter instanceof Counter)) throw new Error('the snapshotter does not count snapshots')
  const { values } = await counter.get()
  return values.reduce((sum, { value }) => sum + value, 0)
}

async function measureCatchUp(core: CoreWriter, taken: () => Promise<number>): Promise<CatchUp> {
  const snapshotsBefore = await taken()
  const lagBefore = await lagOf(core)
  const { perSecond } = await measureProgress(lagBefore, async () => lagBefore - (await lagOf(core)))
  const snapshots = (await taken()) - snapshotsBefore
  return {
    eventsPerSecond: perSecond,
    snapshotsPerSecond: Math.round((snapshots * perSecond) / lagBefore),
  }
}

/** Events that the snapshotter has not processed: the ends of the log minus its checkpoints. */
async function lagOf({ backends, config }: CoreWriter): Promise<number> {
  const reader = new LogReader(backends.cluster)
  const topic = eventTopic('bench-core')
  const partitions = Array.from({ length: config.kafka.partitions }, (_, partition) => partition)
  const lags = await Promise.all(
    partitions.map(async (partition) => {
      const end = await reader.endOffset(topic, partition)
      const text = await new SnapshotCheckpoint(backends.redis, topic, partition).read()
      const { nextOffset } = text === '' ? { nextOffset: 0 } : (JSON.parse(text) as { nextOffset: number })
      return end - nextOffset
    }),
  )
  return lags.reduce((sum, lag) => sum + lag, 0)
}

async function measureLive(core: CoreWriter, taken: () => Promise<number>, round: number): Promise<Live> {
  const before = await taken()
  const inFlight: Promise<unknown>[] = []
  const due = () => ((performance.now() - startMs) * livePerSecond) / 1_000 / eventsPerAppend
  const startMs = performance.now()
  while (performance.now() - startMs < liveMs) {
    while (inFlight.length < due()) {
      inFlight.push(appendTo(core, streamOf(`live-${round}`, Math.floor(Math.random() * streams))))
    }
    await new Promise((resolve) => setTimeout(resolve, tickMs))
  }
  await Promise.all(inFlight)
  const elapsedSeconds = (performance.now() - startMs) / 1_000
  const lagEvents = await lagOf(core)
  const caughtUpMs = await timeMs(() => untilAtLeast(0, async () => -(await lagOf(core))))
  return {
    appendedPerSecond: Math.round((inFlight.length * eventsPerAppend) / elapsedSeconds),
    snapshotsPerSecond: Math.round(((await taken()) - before) / elapsedSeconds),
    lagEvents,
    caughtUpMs: Math.round(caughtUpMs),
  }
}
