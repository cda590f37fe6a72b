import { type BenchStack, startBenchStack } from './bench-stack.ts'
import { withClosing } from './closing.ts'
import { type RunningWriter, startWriter } from './contenders/core.ts'
import { startService } from './contenders/service-process.ts'
import { type Bench, median, medians } from './measure.ts'
import { type CatchUpCase, type CatchUpParts, type CatchUpResult, catchUp } from './project-catch-up.ts'
import { type Delay, type DelayResult, measureDelay } from './project-delay.ts'
import type { ProgressRate } from './project-progress.ts'
import { appendPurchases, mixedPurchases, type PurchaseAppend } from './project-purchases.ts'
import { readByKafkajs, readByLogReader } from './project-readers.ts'
import { measureSubscribers, type SubscribeResult } from './project-subscribe.ts'

const copies = 3
const rounds = 3

const cases: readonly CatchUpCase[] = (['redis', 'postgres'] as const).flatMap((store) =>
  ([['customer-lifetime'], ['monthly-revenue'], ['customer-lifetime', 'monthly-revenue']] as const).flatMap(
    (projections) => [true, false].map((changelog) => ({ store, projections, changelog })),
  ),
)

interface Result {
  readonly events: number
  readonly kafkajs: ProgressRate
  readonly logReader: ProgressRate
  readonly catchUps: readonly (CatchUpCase & CatchUpResult)[]
  readonly delay: DelayResult
  readonly subscribers: SubscribeResult
}

/**
 * Projections of the real purchases of examples/customers: catching up from nothing, compared with readers that build
 * nothing; the delay from an append's acknowledgement to its views; subscribers over HTTP. The parts of one round run
 * one after the other.
 */
export const project: Bench<Result> = {
  run: (say) =>
    withClosing(async (closing) => {
      const stack = await startBenchStack(say)
      closing(() => stack.close())
      const purchases = mixedPurchases(copies)
      const inProcess = await measureInProcess(stack, purchases, say)
      say('subscribers …')
      return { events: purchases.length, ...inProcess, subscribers: await subscribe(stack, purchases) }
    }),
  format,
}

function measureInProcess(
  stack: BenchStack,
  purchases: readonly PurchaseAppend[],
  say: (line: string) => void,
) {
  return withClosing(async (closing) => {
    const writer = await startWriter(stack.envOf('customer'))
    closing(() => writer.close())
    say(`${purchases.length} purchases …`)
    await appendPurchases(writer, purchases)
    const parts = { writer, postgresUrl: await stack.startPostgres(), total: purchases.length }
    const caughtUp = await measureCatchUps(parts, say)
    say('delay from acknowledgement to view …')
    return { ...caughtUp, delay: await medianDelay(writer, purchases) }
  })
}

async function measureCatchUps(parts: CatchUpParts, say: (line: string) => void) {
  const kafkajs: ProgressRate[] = []
  const logReader: ProgressRate[] = []
  const caughtUp = cases.map((): CatchUpResult[] => [])
  for (let round = 0; round < rounds; round++) {
    say(`catching up, round ${round + 1} of ${rounds} …`)
    kafkajs.push(await readByKafkajs(parts.writer, parts.total))
    logReader.push(await readByLogReader(parts.writer, parts.total))
    for (const [index, one] of cases.entries()) caughtUp[index]?.push(await catchUp(parts, one))
  }
  return {
    kafkajs: medians(kafkajs),
    logReader: medians(logReader),
    catchUps: cases.map((one, index) => ({ ...one, ...medians(caughtUp[index] ?? []) })),
  }
}

async function medianDelay(
  writer: RunningWriter,
  purchases: readonly PurchaseAppend[],
): Promise<DelayResult> {
  const results: DelayResult[] = []
  for (let round = 0; round < rounds; round++) results.push(await measureDelay(writer, purchases))
  return {
    appendsPerSecond: median(results.map(({ appendsPerSecond }) => appendsPerSecond)),
    cpuMicros: median(results.map(({ cpuMicros }) => cpuMicros)),
    append: medians(results.map((result) => result.append)),
    lifetime: medians(results.map(({ lifetime }) => lifetime)),
    monthly: medians(results.map(({ monthly }) => monthly)),
  }
}

function subscribe(stack: BenchStack, purchases: readonly PurchaseAppend[]): Promise<SubscribeResult> {
  return withClosing(async (closing) => {
    const platform = await startService('platform', stack.envOf('customer'))
    closing(() => platform.stop())
    return measureSubscribers(platform, purchases)
  })
}

function format({ events, kafkajs, logReader, catchUps, delay, subscribers }: Result): string {
  const share = (perSecond: number) => `${Math.round((100 * perSecond) / kafkajs.perSecond)} %`
  const line = (what: string, store: string, changelog: string, rate: ProgressRate, published: string) =>
    row(
      what,
      store,
      changelog,
      thousands(rate.perSecond),
      share(rate.perSecond),
      published,
      String(rate.cpuMicros),
    )
  return [
    `Catching up over ${thousands(events)} events`,
    row('projections', 'store', 'changelog', 'events/s', 'of kafkajs', 'published/s', 'CPU µs/event'),
    row(...Array.from({ length: 7 }, () => '---')),
    line('kafkajs, doing nothing', '', '', kafkajs, ''),
    line('LogReader, decoding', '', '', logReader, ''),
    ...catchUps.map((each) =>
      line(
        each.projections.join(' + '),
        each.store,
        each.changelog ? 'on' : 'off',
        each,
        each.changelog ? thousands(each.publishedPerSecond) : '',
      ),
    ),
    '',
    `Delay at ${thousands(delay.appendsPerSecond)} appends/s (CPU ${delay.cpuMicros} µs for each, with two reads)`,
    row('from … to', 'p50 ms', 'p99 ms', 'longest ms'),
    row(...Array.from({ length: 4 }, () => '---')),
    delayRow('sent → acknowledged', delay.append),
    delayRow('acknowledged → customer-lifetime', delay.lifetime),
    delayRow('acknowledged → monthly-revenue', delay.monthly),
    '',
    'Subscribers over HTTP',
    row('what', 'received/s', 'events appended/s'),
    row(...Array.from({ length: 3 }, () => '---')),
    row('past events', thousands(subscribers.pastEventsPerSecond), ''),
    row('past updates of views', thousands(subscribers.pastUpdatesPerSecond), ''),
    liveRow('live events', subscribers.liveEvents),
    liveRow('live updates of views', subscribers.liveUpdates),
  ].join('\n')
}

const delayRow = (what: string, { p50Ms, p99Ms, maxMs }: Delay): string =>
  row(what, String(p50Ms), String(p99Ms), String(maxMs))

const liveRow = (
  what: string,
  { receivedPerSecond, appendedPerSecond }: SubscribeResult['liveEvents'],
): string => row(what, thousands(receivedPerSecond), thousands(appendedPerSecond))

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`

const thousands = (figure: number): string => figure.toLocaleString('en-US', { maximumFractionDigits: 0 })
