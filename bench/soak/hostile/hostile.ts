import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { AnnalsClient } from '#client'
import { streamIdOf } from '#domain'

import { percentile } from '../../measure.ts'
import type { Process } from '../processes.ts'
import { type LoadCounts, purchase, SteadyLoad } from '../steady-load.ts'
import type { AttackOptions } from './attack.ts'
import { hostileCallers } from './callers.ts'
import type { Answers } from './target.ts'
import { type Watched, watch } from './watch.ts'

interface HostileOptions {
  readonly process: Process
  readonly type: string
  readonly projection: string
  /** Good appends of one event per second. */
  readonly rate: number
  readonly calmMs: number
  readonly attackMs: number
  /** Names of the callers; default all. */
  readonly names?: readonly string[]
  /** Share of the callers' full load; default 1. */
  readonly share?: number
  readonly bounds?: HostileBounds
}

/** What must hold while hostile callers run. */
interface HostileBounds {
  /** The 99th percentile of good appends, in milliseconds. */
  readonly p99Ms: (calmP99Ms: number) => number
  readonly memoryMiB: number
  /** Share of good appends. */
  readonly failedShare: number
}

export const hostileBounds: HostileBounds = { p99Ms: () => 250, memoryMiB: 1_024, failedShare: 0.001 }

interface HostileResult {
  readonly calmP99Ms: number
  readonly counts: LoadCounts
  readonly p50Ms: number
  readonly p99Ms: number
  readonly msMax: number
  readonly watched: Watched
  readonly answers: Readonly<Record<string, Answers>>
  /** Broken rules, in words. */
  readonly broken: readonly string[]
}

const longStreamEvents = 20_000
/**
 * Real callers have their own processors. These get only what the service and its servers leave, by Linux's policy for
 * idle work (sched(7), SCHED_IDLE). A low priority is not enough, because the kernel lets other tasks wait rather than
 * move them.
 */
const spareTime =
  process.platform === 'linux'
    ? { execPath: 'chrt', execArgv: ['--idle', '0', process.execPath] }
    : { execArgv: [] }
const eventsPerAppend = 1_000

/** Sends good appends at a constant rate, first alone, then next to all hostile callers. */
export async function measureHostile(
  options: HostileOptions,
  say: (line: string) => void,
): Promise<HostileResult> {
  const { process: service, type, projection, rate, names = Object.keys(hostileCallers), share = 1 } = options
  const { url } = service
  const longStream = streamIdOf(type, 'long')
  await fill(url, longStream)
  say(`${rate} appends/s alone …`)
  const calm = await loaded(url, options, options.calmMs)
  say(`… with a p99 of ${Math.round(calm.p99Ms)} ms; now next to ${names.join(', ')} …`)
  const attack = startAttack({ url, type, projection, longStream, names, share })
  const ending = new AbortController()
  const watching = watch(url, ending.signal)
  const under = await loaded(url, options, options.attackMs)
  ending.abort()
  const result = {
    calmP99Ms: Math.round(calm.p99Ms),
    ...under,
    watched: await watching,
    answers: await attack.stop(),
  }
  return { ...result, broken: brokenRules(result, options.bounds ?? hostileBounds, service) }
}

async function fill(url: string, longStream: ReturnType<typeof streamIdOf>): Promise<void> {
  const client = new AnnalsClient({ url })
  const events = Array.from({ length: eventsPerAppend }, () => purchase)
  for (let n = 0; n < longStreamEvents / eventsPerAppend; n++) await client.append(longStream, events)
  await client.close()
}

async function loaded(url: string, { rate, type }: HostileOptions, durationMs: number) {
  const tookMs: number[] = []
  const load = new SteadyLoad(url, rate, { type, onAnswer: (ms) => tookMs.push(ms) })
  load.start()
  await pause(durationMs)
  await load.stop()
  return {
    counts: load.counts,
    p50Ms: Math.round(percentile(tookMs, 50)),
    p99Ms: Math.round(percentile(tookMs, 99)),
    msMax: Math.round(percentile(tookMs, 100)),
  }
}

function startAttack(options: AttackOptions): { stop(): Promise<HostileResult['answers']> } {
  const child = fork(join(import.meta.dirname, 'attack.ts'), [JSON.stringify(options)], spareTime)
  const answers = once(child, 'message')
  answers.catch(() => undefined)
  return {
    stop: async () => {
      child.kill('SIGTERM')
      const [found] = (await answers) as [HostileResult['answers']]
      return found
    },
  }
}

function brokenRules(
  { calmP99Ms, counts, p99Ms, watched }: Omit<HostileResult, 'broken'>,
  bounds: HostileBounds,
  service: Process,
): string[] {
  const { memoryMiBMax, ownerTables, takeOvers, unanswered } = watched
  const missed = counts.failed + counts.heldBack
  const p99MsMax = bounds.p99Ms(calmP99Ms)
  const rules: readonly (readonly [isBroken: boolean, what: string])[] = [
    [service.hasEnded(), `the ${service.name} ended: ${service.hasEnded() ? service.logTail() : ''}`],
    [p99Ms > p99MsMax, `good appends had a p99 of ${p99Ms} ms, above ${p99MsMax} ms`],
    [missed > counts.sent * bounds.failedShare, `${missed} good appends failed or were held back`],
    [
      !(memoryMiBMax <= bounds.memoryMiB),
      `memory reached ${Math.round(memoryMiBMax)} MiB, above ${bounds.memoryMiB}`,
    ],
    [ownerTables.length !== 1, `partitions moved: ${ownerTables.length} owner tables were seen`],
    [takeOvers !== 0, `${takeOvers} partitions were taken over`],
    [unanswered > 0, `health, metrics or owners did not answer within 5 s, ${unanswered} times`],
  ]
  return rules.filter(([isBroken]) => isBroken).map(([, what]) => what)
}

/** Formatted for docs/operations/load.md. */
export function formatHostile(result: HostileResult): string {
  const { counts, watched, answers, broken } = result
  const rows: readonly (readonly [string, string | number])[] = [
    ['good appends acknowledged', counts.acknowledged],
    ['good appends failed, held back', `${counts.failed}, ${counts.heldBack}`],
    ['p99 alone', `${result.calmP99Ms} ms`],
    ['p50, p99, slowest next to the callers', `${result.p50Ms}, ${result.p99Ms}, ${result.msMax} ms`],
    ['`/health/live`, p99', `${Math.round(percentile(watched.healthMs, 99))} ms`],
    ['resident memory at most', `${Math.round(watched.memoryMiBMax)} MiB`],
    ['partitions that moved, were taken over', `${watched.ownerTables.length - 1}, ${watched.takeOvers}`],
  ]
  const callers = Object.entries(answers).map(
    ([name, results]) =>
      `| ${name} | ${hostileCallers[name]?.does ?? ''} | ${Object.entries(results)
        .map(([what, times]) => `${what}: ${times}`)
        .join(', ')} |`,
  )
  return [
    '| figure | |',
    '| --- | --- |',
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
    '',
    '| caller | does, repeatedly | gets |',
    '| --- | --- | --- |',
    ...callers,
    '',
    broken.length === 0 ? 'All rules hold.' : `Broken: ${broken.join('; ')}`,
  ].join('\n')
}
