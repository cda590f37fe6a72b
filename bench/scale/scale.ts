import { setTimeout as sleep } from 'node:timers/promises'

import { type BenchStack, startBenchStack } from '../bench-stack.ts'
import { type Closing, withClosing } from '../closing.ts'
import { type RunningWriter, startWriter } from '../contenders/core.ts'
import type { Bench } from '../measure.ts'
import { fill } from './fill.ts'
import { measureLoads } from './loads.ts'
import { followedEvents, measureProjector, type ProjectorFigures } from './projector-lag.ts'
import { formatScale, type ScaleFigures } from './report.ts'
import { dropIndex, rebuild, takeOver } from './restarts.ts'
import { logBytes, redisBytes } from './storage.ts'

const defaultSizes = [100_000, 1_000_000]
/** Commits of the last appends may still be in flight. */
const settleMs = 500
/** A size that was reached before still adds this many streams. */
const addedMin = 1_000

/** The state between the steps of a run. */
interface Run {
  readonly stack: BenchStack
  readonly say: (line: string) => void
  writer: RunningWriter
  /** Streams of one event each, which are also the events in the log. */
  streams: number
  /** Events that the projector has applied. */
  projected: number
  /** Memory of Redis for other things than the index. */
  otherRedisBytes: number
}

/**
 * The cost of more streams: one broker, one writer, one event of 200 bytes a stream. Sizes are cumulative. The memory of
 * this process does not grow with the streams.
 */
export const scale: Bench<readonly ScaleFigures[]> = {
  run: (say, { streams = defaultSizes }) =>
    withClosing(async (closing) => {
      const run = await open(say, closing)
      const sizes: ScaleFigures[] = []
      for (const size of streams) {
        say(`${size} streams …`)
        sizes.push(await measureSize(run, size))
        say(formatScale(sizes))
      }
      return sizes
    }),
  format: formatScale,
}

async function open(say: Run['say'], closing: Closing): Promise<Run> {
  const stack = await startBenchStack(say, { redisMemory: '12gb' })
  closing(() => stack.close())
  const writer = await startWriter(stack.envOf('bench-scale'))
  const otherRedisBytes = await redisBytes(writer)
  const run: Run = { stack, say, writer, streams: 0, projected: 0, otherRedisBytes }
  closing(() => run.writer.close())
  return run
}

async function measureSize(run: Run, size: number): Promise<ScaleFigures> {
  const appendsPerSecond = await add(run, size)
  const { streams, stack, say } = run
  const kafkaBytesPerEvent = (await logBytes(stack.kafkaFolder)) / streams
  say('loads …')
  const loads = await measureLoads(run.writer, streams)
  say('take-over …')
  const takeOverMs = await restart(run)
  const redisBytesPerStream = ((await redisBytes(run.writer)) - run.otherRedisBytes) / streams
  say('rebuild of the index …')
  const rebuildMs = await rebuildIndex(run)
  say('projector …')
  const projector = await followProjector(run)
  const storage = { redisBytesPerStream, kafkaBytesPerEvent }
  return { streams, appendsPerSecond, ...loads, takeOverMs, ...storage, rebuildMs, ...projector }
}

/** Adds streams up to a size. @returns appends per second */
async function add(run: Run, size: number): Promise<number> {
  const from = run.streams
  run.streams = Math.max(size, from + addedMin)
  const appendsPerSecond = await fill(run.writer, from, run.streams, run.say)
  await sleep(settleMs)
  return appendsPerSecond
}

async function restart(run: Run): Promise<number> {
  await run.writer.close()
  const { writer, takeOverMs } = await takeOver(run.stack.envOf('bench-scale'))
  run.writer = writer
  return takeOverMs
}

async function rebuildIndex(run: Run): Promise<number> {
  await run.writer.service.stop()
  await dropIndex(run.writer)
  await run.writer.backends.close()
  const { writer, rebuildMs } = await rebuild(run.stack.envOf('bench-scale'), run.streams)
  run.writer = writer
  return rebuildMs
}

async function followProjector(run: Run): Promise<ProjectorFigures> {
  const before = await redisBytes(run.writer)
  const figures = await measureProjector(run.writer, run.streams - run.projected, run.streams)
  run.streams += followedEvents
  run.projected = run.streams
  // Its views, and a little of the index for the streams that it followed.
  run.otherRedisBytes += (await redisBytes(run.writer)) - before
  return figures
}
