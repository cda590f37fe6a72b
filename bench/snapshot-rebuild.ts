import pino from 'pino'
import { Registry } from 'prom-client'

import { type StreamId, streamIdOf } from '#domain'
import type { SnapshotsApi } from '#event-store'
import { HealthRegistry } from '#observability'

import { openSnapshotter } from '../services/snapshotter/index.ts'
import type { Closing } from './closing.ts'
import { type RunningWriter, startWriter } from './contenders/core.ts'
import { appended } from './domain/domain.ts'
import { timeMs } from './measure.ts'
import { untilAtLeast } from './project-progress.ts'

const type = 'bench-scale'
const streams = 400
const eventsPerStream = 200
const appendsInFlight = 256

/** A writer that reads long streams from the log, as one does whose streams do not fit into its memory. */
export const startForgetful = (env: Readonly<Record<string, string>>): Promise<RunningWriter> =>
  startWriter({ ...env, ANNALS_WRITER_STREAMS_MEMORY: '1MiB' })

/** Long streams whose events alternate: one event of each stream, then the next one of each. @returns the number of events. */
export async function fillInterleaved({ service }: RunningWriter): Promise<number> {
  const events = streams * eventsPerStream
  let next = 0
  const worker = async () => {
    for (let n = next++; n < events; n = next++) {
      await service.writer.local.append(longStream(n % streams), [appended])
    }
  }
  await Promise.all(Array.from({ length: appendsInFlight }, worker))
  return events
}

const longStream = (n: number): StreamId => streamIdOf(type, `long-${n}`)

/** A snapshotter beside the writer, in one process. */
export async function startSnapshotter(
  { backends, config, service }: RunningWriter,
  closing: Closing,
): Promise<SnapshotsApi> {
  const parts = {
    config,
    backends,
    health: new HealthRegistry(),
    metrics: new Registry(),
    logger: pino({ level: 'warn' }),
  }
  const part = openSnapshotter(parts, service.writer.api)
  await part.start()
  closing(() => part.stop())
  return part.snapshotter.api
}

/** Rebuilds all snapshots. @returns milliseconds from the request, which the owners notice within a second. */
export async function rebuildSnapshots(api: SnapshotsApi): Promise<number> {
  return timeMs(async () => {
    await api.rebuildSnapshots(type)
    await untilAtLeast(Infinity, async () => {
      const { status, done } = await api.snapshotRebuild(type)
      return status === 'done' ? Infinity : done
    })
  })
}
