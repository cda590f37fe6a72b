// npm run bench:paired -- <folder> [task] [rounds]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { measureCallers } from './callers.ts'
import type * as stackModule from './bench-stack.ts'
import { type Closing, withClosing } from './closing.ts'
import type { Contender } from './contenders/contender.ts'
import type * as coreModule from './contenders/core.ts'
import type * as httpModule from './contenders/http.ts'
import type * as importModule from './import.ts'
import type * as catchUpModule from './project-catch-up.ts'
import type * as purchasesModule from './project-purchases.ts'
import type * as rebuildModule from './rebuild.ts'
import type * as replayModule from './replay.ts'
import type * as snapshotRebuildModule from './snapshot-rebuild.ts'
import { median, percentile, timeMs } from './measure.ts'
import { fillWindows, takeOverSeconds } from './take-over.ts'

/**
 * Compares this checkout with another one, e.g. of the previous commit. Both run in one process, each with its own
 * stack, in turns whose order alternates from round to round, so that other load on the machine affects both alike.
 */

const roundsDefault = 25
const callerLevels = [1, 64, 1_024]
const warmUpMs = 250
const durationMs = 1_000
/** Some for each partition. */
const firstAppends = Array.from({ length: 64 }, (_, n) => n)

/** One measurement of a checkout. @returns the rate per second. */
type Task = (round: number) => Promise<number>

/** Tasks by name; each is prepared before its first round. */
type Tasks = ReadonlyMap<string, () => Promise<Task>>

interface BenchModules {
  readonly stack: typeof stackModule
  readonly core: typeof coreModule
  readonly http: typeof httpModule
  readonly rebuild: typeof rebuildModule
  readonly snapshotRebuild: typeof snapshotRebuildModule
  readonly catchUp: typeof catchUpModule
  readonly purchases: typeof purchasesModule
  readonly replay: typeof replayModule
  readonly importing: typeof importModule
}

async function modulesOf(checkout: string): Promise<BenchModules> {
  const load = (file: string): Promise<unknown> =>
    import(pathToFileURL(resolve(checkout, 'bench', file)).href)
  return {
    stack: await load('bench-stack.ts'),
    core: await load('contenders/core.ts'),
    http: await load('contenders/http.ts'),
    rebuild: await load('rebuild.ts'),
    snapshotRebuild: await load('snapshot-rebuild.ts'),
    catchUp: await load('project-catch-up.ts'),
    purchases: await load('project-purchases.ts'),
    replay: await load('replay.ts'),
    importing: await load('import.ts'),
  } as BenchModules
}

async function openTasks(checkout: string, closing: Closing): Promise<Tasks> {
  // Services are started by their path within a checkout.
  process.chdir(checkout)
  const modules = await modulesOf(checkout)
  const stack = await modules.stack.startBenchStack(say)
  closing(() => stack.close())
  const restartable = { core: await modules.core.startCore(stack.envOf('bench-core')) }
  closing(() => restartable.core.close())
  const core = { append: (stream: string) => restartable.core.append(stream) }
  const http = await modules.http.startHttp(stack.envOf('bench-http'))
  closing(() => http.close())
  const tasks = new Map<string, () => Promise<Task>>()
  for (const callers of callerLevels)
    for (const [name, { append }] of Object.entries({ core, http }))
      tasks.set(`append, ${name}, ${callers} callers`, () => Promise.resolve(appendTask(callers, append)))
  tasks.set('rebuild of the index, events', () => rebuildTask(modules, restartable.core))
  tasks.set('rebuild of snapshots, events', () => snapshotsTask(modules, stack, closing))
  addCustomerTasks(tasks, await openCustomers(modules, stack, closing))
  tasks.set('take-over with full windows of ids', () =>
    takeOverTask(restartable, () => modules.core.startCore(stack.envOf('bench-core'))),
  )
  return tasks
}

const appendTask =
  (callers: number, append: Contender['append']): Task =>
  async (round) => {
    const run = `${callers}-${round}`
    await measureCallers(callers, warmUpMs, (n) => append(`${run}-warm-${n}`))
    return (await measureCallers(callers, durationMs, (n) => append(`${run}-${n}`))).perSecond
  }

async function rebuildTask(
  { rebuild }: BenchModules,
  core: Awaited<ReturnType<BenchModules['core']['startCore']>>,
): Promise<Task> {
  say('filling the log …')
  await rebuild.fill(core)
  return async (round) => {
    const elapsedMs = await timeMs(() => rebuild.rebuildAll(core, round))
    return (rebuild.filledEvents / elapsedMs) * 1_000
  }
}

/** @returns a task that restarts the writer. Its rate is that of a take-over and the first appends after it. */
async function takeOverTask(
  restartable: { core: coreModule.CoreWriter },
  start: () => Promise<coreModule.CoreWriter>,
): Promise<Task> {
  await fillWindows(restartable.core, say)
  return async (round) => {
    await restartable.core.close()
    restartable.core = await start()
    const { append } = restartable.core
    const firstMs = await timeMs(() => Promise.all(firstAppends.map((n) => append(`first-${round}-${n}`))))
    return 1 / ((await takeOverSeconds(restartable.core)) + firstMs / 1_000)
  }
}

async function snapshotsTask(
  { snapshotRebuild }: BenchModules,
  stack: Awaited<ReturnType<BenchModules['stack']['startBenchStack']>>,
  closing: Closing,
): Promise<Task> {
  say('filling the log with long streams …')
  const writer = await snapshotRebuild.startForgetful(stack.envOf('bench-scale'))
  closing(() => writer.close())
  const events = await snapshotRebuild.fillInterleaved(writer)
  const snapshotter = await snapshotRebuild.startSnapshotter(writer, closing)
  return async () => (events / (await snapshotRebuild.rebuildSnapshots(snapshotter))) * 1_000
}

/** The purchases of examples/customers, read by projections and commands. */
interface Customers {
  readonly modules: BenchModules
  readonly env: Readonly<Record<string, string>>
  readonly folder: string
  readonly postgresUrl: () => Promise<string>
  readonly filled: () => Promise<Filled>
}

interface Filled {
  readonly writer: Awaited<ReturnType<BenchModules['core']['startWriter']>>
  readonly events: number
}

async function openCustomers(
  modules: BenchModules,
  stack: Awaited<ReturnType<BenchModules['stack']['startBenchStack']>>,
  closing: Closing,
): Promise<Customers> {
  const env = stack.envOf('customer')
  const folder = await mkdtemp(join(tmpdir(), 'annals-bench-paired-'))
  closing(() => rm(folder, { recursive: true }))
  const fill = async (): Promise<Filled> => {
    const writer = await modules.core.startWriter(env)
    closing(() => writer.close())
    const all = modules.purchases.mixedPurchases(3)
    await modules.purchases.appendPurchases(writer, all)
    return { writer, events: all.length }
  }
  let filled: Promise<Filled> | undefined
  let postgresUrl: Promise<string> | undefined
  return {
    modules,
    env,
    folder,
    postgresUrl: () => (postgresUrl ??= stack.startPostgres()),
    filled: () => (filled ??= fill()),
  }
}

const lifetime = { projections: ['customer-lifetime'], changelog: true } as const

function addCustomerTasks(tasks: Map<string, () => Promise<Task>>, customers: Customers): void {
  const both = { projections: ['customer-lifetime', 'monthly-revenue'], changelog: true } as const
  tasks.set('rebuild of two projections, events', () => catchUpTask(customers, { ...both, store: 'redis' }))
  for (const store of ['redis', 'postgres'] as const)
    tasks.set(`rebuild of customer-lifetime in ${store}, events`, () =>
      catchUpTask(customers, { ...lifetime, store }),
    )
  tasks.set('replay to a file, events', () => replayTask(customers))
  // The last one, because it lengthens the log.
  tasks.set('import, events', () => importTask(customers))
}

async function catchUpTask(
  { modules, filled, postgresUrl }: Customers,
  what: catchUpModule.CatchUpCase,
): Promise<Task> {
  const { writer, events } = await filled()
  const parts = { writer, postgresUrl: what.store === 'postgres' ? await postgresUrl() : '', total: events }
  return async () => (await modules.catchUp.catchUp(parts, what)).perSecond
}

async function replayTask({ modules, env, folder, filled }: Customers): Promise<Task> {
  const { events } = await filled()
  return () => modules.replay.replayToFile({ env, folder, events })
}

async function importTask({ modules, env, folder, filled }: Customers): Promise<Task> {
  await filled()
  const url = `http://127.0.0.1:${env['ANNALS_PORT'] ?? ''}`
  return (round) => modules.importing.importPurchases(url, folder, `round-${round}`)
}

function say(line: string): void {
  console.error(line)
}

/** The rebuilds run first, because appends would lengthen their logs, by different amounts. The restarts of writers come last. */
const inOrder = (tasks: Tasks): readonly string[] =>
  [...tasks.keys()].toSorted((a, b) => turnOf(a) - turnOf(b))

const turnOf = (task: string): number => (task.startsWith('rebuild') ? 0 : task.startsWith('append') ? 1 : 2)

async function compare(here: Tasks, there: Tasks, only: string, rounds: number): Promise<void> {
  console.log('| what | there /s | here /s | here : there, median (quartiles) |')
  console.log('| --- | --- | --- | --- |')
  for (const name of inOrder(here).filter((one) => one.includes(only))) {
    const rates = await ratesOf(await here.get(name)?.(), await there.get(name)?.(), rounds)
    const ratios = rates.here.map((rate, round) => rate / (rates.there[round] ?? NaN))
    const [low, middle, high] = [25, 50, 75].map((percent) => percentile(ratios, percent).toFixed(2))
    const [thereRate, hereRate] = [median(rates.there), median(rates.here)].map(figure)
    console.log(`| ${name} | ${thereRate} | ${hereRate} | ${middle} (${low} to ${high}) |`)
  }
}

const figure = (rate: number): string => (rate < 100 ? rate.toPrecision(3) : String(Math.round(rate)))

/** The first round is the warm-up. */
async function ratesOf(here: Task | undefined, there: Task | undefined, rounds: number) {
  if (here === undefined || there === undefined) throw new RangeError('a checkout lacks a task')
  const rates = { here: [] as number[], there: [] as number[] }
  const sides = [
    ['here', here],
    ['there', there],
  ] as const
  for (let round = 0; round <= rounds; round++) {
    for (const [side, task] of round % 2 === 0 ? sides : sides.toReversed()) {
      const rate = await task(round)
      if (round > 0) rates[side].push(rate)
    }
  }
  return rates
}

const [, , other, only = '', rounds = roundsDefault] = process.argv
if (other === undefined) {
  console.error(
    "usage: npm run bench:paired -- <folder of another checkout, with its node_modules> [part of a task's name] [rounds]",
  )
  process.exitCode = 2
} else {
  await withClosing(async (closing) => {
    const there = resolve(other)
    const here = await openTasks(resolve(import.meta.dirname, '..'), closing)
    await compare(here, await openTasks(there, closing), only, Number(rounds))
  })
}
