import { Agent } from 'undici'

import { AnnalsClient } from '#client'

import { startBenchStack } from './bench-stack.ts'
import { type CallersResult, measureCallers } from './callers.ts'
import { withClosing } from './closing.ts'
import { startService } from './contenders/service-process.ts'
import { appended } from './domain/domain.ts'
import { type Bench, medians } from './measure.ts'
import { formatTable } from './table.ts'

const rounds = 3
const warmUpMs = 500
const durationMs = 2_000

/** What one caller does, from the cheapest call to the most expensive one. */
const calls = {
  live: 'GET /health/live, without the SDK',
  load: 'load of a stream in memory',
  check: 'append to a stream in memory, refused by its version',
  hot: 'append to a stream in memory',
  fresh: 'append to a new stream',
} as const
type Call = keyof typeof calls

interface Result {
  readonly calls: Readonly<Record<Call, CallersResult>>
  /** Mean milliseconds of each step of the writer's rounds. */
  readonly steps: Readonly<Record<string, number>>
}

/** Where the time of one caller goes: the platform (writer, snapshotter and projector in one thread), one call at a time over HTTP. */
export const oneCall: Bench<Result> = {
  run: (say) =>
    withClosing(async (closing) => {
      const stack = await startBenchStack(say)
      closing(() => stack.close())
      const platform = await startService('platform', stack.envOf('bench-http'))
      closing(() => platform.stop())
      const client = new AnnalsClient({ url: platform.url })
      closing(() => client.close())
      const agent = new Agent()
      closing(() => agent.close())
      const callsOfRounds: Record<Call, CallersResult>[] = []
      for (let round = 0; round < rounds; round++) {
        say(`round ${round + 1} of ${rounds} …`)
        callsOfRounds.push(await measureRound(round, platform.url, client, agent))
      }
      const names = Object.keys(calls) as Call[]
      const middle = names.map((name) => [name, medians(callsOfRounds.map((each) => each[name]))])
      return {
        calls: Object.fromEntries(middle) as Record<Call, CallersResult>,
        steps: await stepsOf(platform.url),
      }
    }),
  format: ({ calls: measured, steps }) =>
    [
      formatTable(
        ['p50 ms', 'p99 ms', 'per second', 'one call at a time over HTTP'],
        (Object.keys(calls) as Call[]).map((name) => {
          const { p50Ms, p99Ms, perSecond } = measured[name]
          return [p50Ms.toFixed(2), p99Ms.toFixed(2), String(perSecond), calls[name]]
        }),
        'text',
      ),
      `in the writer, mean ms: ${Object.entries(steps)
        .map(([step, ms]) => `${step} ${ms.toFixed(2)}`)
        .join(', ')}`,
    ].join('\n'),
}

async function measureRound(
  round: number,
  url: string,
  client: AnnalsClient,
  agent: Agent,
): Promise<Record<Call, CallersResult>> {
  const stream = `bench-http.hot-${round}`
  await client.append(stream, [appended])
  const refused = () =>
    client.append(stream, [appended], { expectedVersion: 'no-stream' }).then(
      () => Promise.reject(new Error(`${stream} was appended to as a new stream`)),
      () => undefined,
    )
  const work: Record<Call, (n: number) => Promise<unknown>> = {
    live: async () => (await agent.request({ origin: url, path: '/health/live', method: 'GET' })).body.text(),
    load: () => client.load(stream),
    check: refused,
    hot: () => client.append(`${stream}-appended`, [appended]),
    fresh: (n) => client.append(`bench-http.${round}-${n}`, [appended], { expectedVersion: 'no-stream' }),
  }
  const results: Partial<Record<Call, CallersResult>> = {}
  let next = 0
  for (const name of Object.keys(calls) as Call[]) {
    const call = () => work[name](next++)
    await measureCallers(1, warmUpMs, call)
    results[name] = await measureCallers(1, durationMs, call)
  }
  return results as Record<Call, CallersResult>
}

/** The mean of each step, from the writer's metrics. */
async function stepsOf(url: string): Promise<Record<string, number>> {
  const text = await fetch(`${url}/metrics`).then((answer) => answer.text())
  const value = (name: string, step: string) =>
    Number(
      new RegExp(`^annals_writer_step_seconds_${name}\\{[^}]*step="${step}"[^}]*\\} (\\S+)$`, 'm').exec(
        text,
      )?.[1],
    )
  const steps = ['check', 'append', 'commit']
  return Object.fromEntries(steps.map((step) => [step, (1_000 * value('sum', step)) / value('count', step)]))
}
