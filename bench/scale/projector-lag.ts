import { setTimeout as sleep } from 'node:timers/promises'

import pino from 'pino'
import { Registry } from 'prom-client'

import { streamIdOf } from '#domain'
import { RedisViewStore } from '#projections-redis'

import { Projector, projectorSettings } from '../../services/projector/index.ts'
import { withClosing } from '../closing.ts'
import type { RunningWriter } from '../contenders/core.ts'
import { appended } from '../domain/domain.ts'
import { percentile } from '../measure.ts'
import { measureProgress, untilAtLeast } from '../project-progress.ts'
import { scaleType } from './fill.ts'
import { type AppliedAt, lagsMs } from './lag.ts'
import { counterValue } from './restarts.ts'

const perSecond = 500
/** The streams that {@link measureProjector} adds. */
export const followedEvents = 5 * perSecond
const pollMs = 2

export interface ProjectorFigures {
  readonly projectedPerSecond: number
  readonly lagP50Ms: number
  readonly lagP99Ms: number
}

/**
 * A projector beside the writer catches up, then follows appends at a constant rate.
 * @param behind events that it has not applied yet
 * @param stream the number of the first stream that it adds
 */
export function measureProjector(
  writer: RunningWriter,
  behind: number,
  stream: number,
): Promise<ProjectorFigures> {
  return withClosing(async (closing) => {
    const { backends, config } = writer
    const metrics = new Registry()
    const projector = new Projector({
      ...backends,
      store: new RedisViewStore(backends.redis),
      advertisedUrl: config.http.advertisedUrl,
      verifyPeer: () => Promise.resolve('verified'),
      onForeign: () => undefined,
      settings: { ...projectorSettings(config), changelog: false },
      metrics,
      logger: pino({ level: 'warn' }),
    })
    await projector.start()
    closing(() => projector.stop())
    const applied = () => counterValue(metrics, 'annals_projector_events_total')
    const progress = await measureProgress(behind, applied)
    const lags = await follow(writer, stream, async () => (await applied()) - behind)
    return {
      projectedPerSecond: progress.perSecond,
      lagP50Ms: percentile(lags, 50),
      lagP99Ms: percentile(lags, 99),
    }
  })
}

/** @param applied how many of the appended events are applied */
async function follow(
  writer: RunningWriter,
  stream: number,
  applied: () => Promise<number>,
): Promise<readonly number[]> {
  const samples: AppliedAt[] = []
  const sampled = untilAtLeast(followedEvents, async () => {
    const sample = { applied: await applied(), atMs: performance.now() }
    samples.push(sample)
    return sample.applied
  })
  const [ackedMs] = await Promise.all([appendAtRate(writer, stream), sampled])
  return lagsMs(ackedMs, samples)
}

/** Appends at a constant rate, however long earlier appends take. @returns the times of the acknowledgements */
async function appendAtRate({ service }: RunningWriter, stream: number): Promise<readonly number[]> {
  const ackedMs: number[] = []
  const inFlight: Promise<void>[] = []
  const append = async (n: number) => {
    const streamId = streamIdOf(scaleType, String(stream + n))
    await service.writer.local.append(streamId, [appended], { expectedVersion: 'no-stream' })
    ackedMs.push(performance.now())
  }
  const startMs = performance.now()
  while (inFlight.length < followedEvents) {
    const due = Math.min(followedEvents, ((performance.now() - startMs) * perSecond) / 1_000)
    while (inFlight.length < due) inFlight.push(append(inFlight.length))
    await sleep(pollMs)
  }
  await Promise.all(inFlight)
  return ackedMs
}
