import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { until } from '../../../scripts/stack/index.ts'
import { check, readRemains, type Where } from './checker/index.ts'
import type { Servers } from './cluster/servers.ts'
import { waitForServices, waitUntilCaughtUp } from './cluster/settle.ts'
import { System } from './cluster/system.ts'
import { traitsOf } from './cluster/traits.ts'
import { deleteTopics } from './cluster/topics.ts'
import { type Injection, playNemesis } from './nemesis/nemesis.ts'
import { Random } from './random.ts'
import { Recorder } from './recorder.ts'
import { countsOf, injectionResult, progressOf, type SeedResult } from './seed-result.ts'
import { Workload } from './workload/workload.ts'

interface SeedOptions {
  readonly seed: number
  readonly durationMs: number
  readonly clients: number
  /** Module of a broken variant, preloaded into every service. */
  readonly preload: string | undefined
  /** The folder for this seed's history, faults and logs. */
  readonly folder: string
}

/** A seed proves nothing if less of its time had acknowledged appends. */
const progressMin = 0.2
const healthyMsMax = 120_000

/** Runs one seed, from the start of its services to the verdict. Failures on the way are part of the result. */
export async function runSeed(servers: Servers, options: SeedOptions): Promise<SeedResult> {
  const startedAtMs = performance.now()
  mkdirSync(options.folder, { recursive: true })
  const recorder = new Recorder(join(options.folder, 'history.ndjson'))
  const run: Run = { recorder, injections: [], fromMs: 0, untilMs: 0, violations: [] }
  const traits = traitsOf(options.seed)
  const system = await System.start(servers, new Random(options.seed, 'system'), { ...options, traits })
  let failure = await failureOf(() => playAndJudge(system, options, run))
  await system.stop()
  failure ??= await failureOf(() => deleteTopics(system))
  await recorder.close()
  const { history } = recorder
  const injections = run.injections.map((each) => injectionResult(each, history, run.violations))
  const progress = progressOf(history, run.fromMs, run.untilMs)
  failure ??= insufficientProgress(progress)
  writeFileSync(join(options.folder, 'faults.json'), JSON.stringify(injections, undefined, 2))
  return {
    seed: options.seed,
    tookMs: performance.now() - startedAtMs,
    counts: countsOf(history),
    progress,
    injections,
    violations: run.violations,
    unexpectedExits: system.unexpectedExits,
    ...(failure !== undefined && { failure }),
  }
}

/** What is known so far, even if the run is aborted. */
interface Run {
  readonly recorder: Recorder
  injections: readonly Injection[]
  fromMs: number
  untilMs: number
  violations: SeedResult['violations']
}

async function playAndJudge(system: System, options: SeedOptions, run: Run): Promise<void> {
  const { seed, clients, durationMs } = options
  await waitForServices(system)
  const workload = new Workload(system, { seed, clients, recorder: run.recorder })
  try {
    run.fromMs = performance.now()
    workload.start()
    run.injections = await playNemesis({ system, streams: workload.streams, seed, durationMs })
    await workload.stop()
    run.untilMs = performance.now()
    const [notUndone] = run.injections.filter(({ failure }) => failure !== undefined)
    if (notUndone?.failure !== undefined) throw new Error(`${notUndone.fault}: ${notUndone.failure}`)
    await waitForServices(system)
    await workload.readAllStreams(
      system.decrees.shortened.map(({ topic }) => topic.slice('eventstore.'.length)),
    )
    await waitUntilCaughtUp(system)
    await until('all servers are healthy', healthyMsMax, () => system.servers.areHealthy())
    run.violations = check(run.recorder.history, await readRemains(whereIs(system)), system.decrees)
  } finally {
    await workload.stop()
    await workload.close()
  }
}

/** Addresses that bypass all links. */
const whereIs = ({ servers, domain, redisUrl, redisKeyPrefix, projectors }: System): Where => ({
  brokers: servers.brokers,
  redisUrl,
  redisKeyPrefix,
  registryUrl: servers.registry.url,
  projectorUrl: projectors[0]?.post.url ?? '',
  types: domain.types,
  projections: [
    { name: domain.projections.lifetime, source: domain.types[0] ?? '', keyedBy: 'stream' },
    { name: domain.projections.monthly, source: domain.types[0] ?? '', keyedBy: 'month' },
  ],
})

const insufficientProgress = (progress: number): string | undefined =>
  progress >= progressMin
    ? undefined
    : `appends were acknowledged in only ${Math.round(100 * progress)} % of the seconds: this seed proves nothing`

async function failureOf(act: () => Promise<void>): Promise<string | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
