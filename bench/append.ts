import { KafkaCluster } from '#kafka'

import { type BenchStack, startBenchStack } from './bench-stack.ts'
import { type CallersResult, measureCallers } from './callers.ts'
import { type Closing, withClosing } from './closing.ts'
import type { Contender } from './contenders/contender.ts'
import { startCore } from './contenders/core.ts'
import { startEmmett } from './contenders/emmett.ts'
import { startHttp } from './contenders/http.ts'
import { startLimit } from './contenders/limit.ts'
import { startProducer } from './contenders/producer.ts'
import { type Bench, median } from './measure.ts'

const levels = [1, 16, 64, 256, 1_024]
const names = ['core', 'http', 'emmett', 'producer', 'limit'] as const
type Name = (typeof names)[number]

type Level = { readonly callers: number } & Readonly<Record<Name, CallersResult>>

const rounds = 3
const warmUpMs = 1_000
const durationMs = 2_500

/**
 * Appends of one event of 200 bytes to new streams by: the writer's core in process, the service over HTTP through the
 * SDK, Emmett on PostgreSQL in process, the client library's idempotent producer, and plain idempotent batches without
 * any check as the limit. Every round runs all of them one after the other.
 */
export const append: Bench<readonly Level[]> = {
  async run(say) {
    return withClosing(async (closing) => {
      const stack = await startBenchStack(say)
      closing(() => stack.close())
      const contenders = await startAll(stack, closing)
      const results: Level[] = []
      for (const callers of levels) {
        say(`${callers} callers …`)
        results.push({ callers, ...(await compare(contenders, callers)) })
      }
      return results
    })
  },
  format: (results) =>
    [
      row('callers', 'contender', 'appends/s', 'p50 ms', 'p99 ms'),
      ...results.flatMap((level) =>
        names.map((name) => {
          const { perSecond, p50Ms, p99Ms } = level[name]
          return row(String(level.callers), name, String(perSecond), p50Ms.toFixed(2), p99Ms.toFixed(2))
        }),
      ),
      '',
      ...results.map(ratios),
    ].join('\n'),
}

async function startAll(stack: BenchStack, closing: Closing): Promise<Record<Name, Contender>> {
  const keep = <Opened extends Contender>(contender: Opened): Opened => {
    closing(() => contender.close())
    return contender
  }
  const cluster = await KafkaCluster.connect({ brokers: [stack.kafkaBroker], clientId: 'bench' })
  closing(() => cluster.close())
  return {
    core: keep(await startCore(stack.envOf('bench-core'))),
    http: keep(await startHttp(stack.envOf('bench-http'))),
    emmett: keep(await startEmmett(await stack.startPostgres())),
    producer: keep(await startProducer(cluster, stack.kafkaBroker)),
    limit: keep(await startLimit(cluster)),
  }
}

async function compare(contenders: Readonly<Record<Name, Contender>>, callers: number) {
  const measured = new Map<Name, CallersResult[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const { append: one } = contenders[name]
      const run = `${callers}-${round}`
      await measureCallers(callers, warmUpMs, (n) => one(`${run}-warm-${n}`))
      measured.get(name)?.push(await measureCallers(callers, durationMs, (n) => one(`${run}-${n}`)))
    }
  }
  return Object.fromEntries(names.map((name) => [name, medians(measured.get(name) ?? [])])) as Record<
    Name,
    CallersResult
  >
}

const medians = (results: readonly CallersResult[]): CallersResult => ({
  perSecond: Math.round(median(results.map(({ perSecond }) => perSecond))),
  p50Ms: median(results.map(({ p50Ms }) => p50Ms)),
  p99Ms: median(results.map(({ p99Ms }) => p99Ms)),
})

const row = (...cells: readonly string[]): string => cells.map((cell) => cell.padStart(11)).join('')

function ratios({ callers, core, http, emmett, producer, limit }: Level): string {
  const times = (a: number, b: number) => `${(a / b).toFixed(1)} ×`
  return `${callers} callers: core ${times(core.perSecond, emmett.perSecond)} Emmett (p50 ${times(core.p50Ms, emmett.p50Ms)}), ${percent(core, producer)} of the producer, ${percent(core, limit)} of the limit; HTTP ${times(http.perSecond, emmett.perSecond)} Emmett`
}

const percent = (part: CallersResult, whole: CallersResult): string =>
  `${Math.round((100 * part.perSecond) / whole.perSecond)} %`
